use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! dtypes {
    ($($(#[$attribute:meta])* $name:ident $bits:literal)*) => {
        /// The type of a saved tensor's elements. Files spell it as here.
        ///
        /// Models take `F32` and `F64`, `F16` and `BF16` too, and any integer where they count. The others are listed,
        /// compared and converted.
        #[allow(non_camel_case_types)] // the spelling of the files
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[non_exhaustive]
        pub enum Dtype {
            $($(#[$attribute])* $name,)*
        }

        impl Dtype {
            /// All of them. The order is part of the checkpoint format: new ones go to the end.
            pub(super) const ALL: &[Self] = &[$(Self::$name,)*];

            pub(super) fn bits(self) -> usize {
                match self {
                    $(Self::$name => $bits,)*
                }
            }
        }
    };
}

dtypes! {
    /// `f32`.
    F32 32
    /// `f64`.
    F64 64
    /// `i64`, for counts.
    I64 64
    /// Half precision, IEEE 754's binary16.
    F16 16
    /// The upper half of an `f32`.
    BF16 16
    /// `bool`, a byte each.
    BOOL 8
    /// `u8`.
    U8 8
    /// `i8`.
    I8 8
    /// `u16`.
    U16 16
    /// `i16`.
    I16 16
    /// `u32`.
    U32 32
    /// `i32`.
    I32 32
    /// `u64`.
    U64 64
    /// Two `f32`: the real and the imaginary part.
    C64 64
    /// Eight bits: 5 of exponent, 2 of mantissa.
    F8_E5M2 8
    /// Eight bits: 4 of exponent, 3 of mantissa.
    F8_E4M3 8
    /// Eight bits of exponent.
    F8_E8M0 8
    /// As [`F8_E4M3`](Self::F8_E4M3), without infinity and minus zero.
    F8_E4M3FNUZ 8
    /// As [`F8_E5M2`](Self::F8_E5M2), without infinity and minus zero.
    F8_E5M2FNUZ 8
    /// Six bits: 2 of exponent, 3 of mantissa.
    F6_E2M3 6
    /// Six bits: 3 of exponent, 2 of mantissa.
    F6_E3M2 6
    /// Four bits: 2 of exponent, 1 of mantissa.
    F4 4
}

impl Dtype {
    /// The number in these bytes, the lowest first, as many as an element has; an integer beyond 2⁵³ is rounded.
    /// `None` for a complex number and for floats of less than 16 bits.
    pub(super) fn number(self, bytes: &[u8]) -> Option<f64> {
        macro_rules! read {
            ($number:ident) => {
                $number::from_le_bytes(bytes.try_into().expect("as many bytes as the type has"))
            };
        }
        Some(match self {
            Self::F32 => f64::from(read!(f32)),
            Self::F64 => read!(f64),
            Self::F16 => f64::from(widened(read!(u16))),
            Self::BF16 => f64::from(f32::from_bits(u32::from(read!(u16)) << 16)),
            Self::BOOL | Self::U8 => f64::from(read!(u8)),
            Self::I8 => f64::from(read!(i8)),
            Self::U16 => f64::from(read!(u16)),
            Self::I16 => f64::from(read!(i16)),
            Self::U32 => f64::from(read!(u32)),
            Self::I32 => f64::from(read!(i32)),
            Self::U64 => read!(u64) as f64,
            Self::I64 => read!(i64) as f64,
            _ => return None,
        })
    }
}

/// An `f16` is an `f32` with a shorter exponent and mantissa. Both go to their places; what then remains is the bias of
/// the exponent, 15 and not 127, a factor that also makes normal numbers of subnormal ones. It is exact.
fn widened(half: u16) -> f32 {
    let sign = u32::from(half >> 15) << 31;
    let rest = u32::from(half & 0x7fff) << 13;
    let value = match half & 0x7c00 {
        0x7c00 => f32::from_bits(rest | 0x7f80_0000), // infinity or not a number
        _ => f32::from_bits(rest) * f32::from_bits((127 + 127 - 15) << 23),
    };
    f32::from_bits(value.to_bits() | sign)
}

impl fmt::Display for Dtype {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

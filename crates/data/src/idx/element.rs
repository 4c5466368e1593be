//! The element types of the format.

/// A number that an IDX file can hold: `u8`, `i8`, `i16`, `i32`, `f32` or `f64`.
pub trait Element: Copy + sealed::Bytes {}

/// The name of a type, by the third byte of a file.
pub(super) fn name(code: u8) -> &'static str {
    match code {
        0x08 => "unsigned byte",
        0x09 => "signed byte",
        0x0b => "16-bit integer",
        0x0c => "32-bit integer",
        0x0d => "32-bit float",
        0x0e => "64-bit float",
        _ => "unknown",
    }
}

pub(super) mod sealed {
    pub trait Bytes: Sized {
        /// The third byte of a file of this type.
        const CODE: u8;

        /// The bytes of a number of the type `code`, if all such numbers are also of this type.
        fn width(code: u8) -> Option<usize>;

        /// The numbers in a file of a type that has a [`width`](Bytes::width).
        fn decode(code: u8, bytes: Vec<u8>) -> Vec<Self>;

        fn encode(self, bytes: &mut Vec<u8>);
    }
}

macro_rules! element {
    ($type:ty, $code:literal, from $($from:ty)*) => {
        impl Element for $type {}

        impl sealed::Bytes for $type {
            const CODE: u8 = $code;

            fn width(code: u8) -> Option<usize> {
                match code {
                    $(<$from as sealed::Bytes>::CODE => Some(size_of::<$from>()),)*
                    _ => None,
                }
            }

            fn decode(code: u8, bytes: Vec<u8>) -> Vec<Self> {
                match code {
                    $(<$from as sealed::Bytes>::CODE => {
                        let numbers = bytes.as_chunks().0.iter();
                        numbers.map(|&bytes| <$type>::from(<$from>::from_be_bytes(bytes))).collect()
                    })*
                    _ => Vec::new(),
                }
            }

            fn encode(self, bytes: &mut Vec<u8>) {
                bytes.extend(self.to_be_bytes());
            }
        }
    };
}

element!(i8, 0x09, from i8);
element!(i16, 0x0b, from u8 i8 i16);
element!(i32, 0x0c, from u8 i8 i16 i32);
element!(f32, 0x0d, from u8 i8 i16 f32);
element!(f64, 0x0e, from u8 i8 i16 i32 f32 f64);

impl Element for u8 {}

/// By hand: images are read without a copy.
impl sealed::Bytes for u8 {
    const CODE: u8 = 0x08;

    fn width(code: u8) -> Option<usize> {
        (code == Self::CODE).then_some(1)
    }

    fn decode(_: u8, bytes: Vec<u8>) -> Vec<Self> {
        bytes
    }

    fn encode(self, bytes: &mut Vec<u8>) {
        bytes.push(self);
    }
}

//! State as named fields: the one description that reading, editing, explaining, saving and restoring share.

use std::fmt::Debug;

use wengert_autodiff::{Real, Tensor};

/// What a rule remembers of one tensor, field by field under the field's own name.
///
/// Write `state!(MyState { v, steps })` rather than implementing this by hand.
#[doc(alias("slot", "slots", "OptState", "state_dict"))]
pub trait State<F: Real>: Clone + Debug + Send + Sync + 'static {
    /// The fields that are there; an optional tensor that is `None` is left out.
    fn fields(&self) -> Vec<(&'static str, Field<'_, F>)>;

    /// All fields, to be changed.
    fn fields_mut(&mut self) -> Vec<(&'static str, FieldMut<'_, F>)>;

    /// How many gradients the tensor has seen, if the rule counts them.
    fn steps(&self) -> Option<u64> {
        self.fields().into_iter().find_map(|(_, field)| match field {
            Field::Steps(steps) => Some(steps),
            _ => None,
        })
    }

    /// Like [`steps`](State::steps), to be changed.
    fn steps_mut(&mut self) -> Option<&mut u64> {
        self.fields_mut().into_iter().find_map(|(_, field)| match field {
            FieldMut::Steps(steps) => Some(steps),
            _ => None,
        })
    }
}

/// A rule without memory.
impl<F: Real> State<F> for () {
    fn fields(&self) -> Vec<(&'static str, Field<'_, F>)> {
        Vec::new()
    }

    fn fields_mut(&mut self) -> Vec<(&'static str, FieldMut<'_, F>)> {
        Vec::new()
    }
}

/// A field of a [`State`].
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Field<'a, F: Real> {
    /// An average, a sum or a buffer, in the shape of the parameter.
    Tensor(&'a Tensor<F>),
    /// How many gradients the tensor has seen.
    Steps(u64),
    /// Another count.
    Count(u64),
    /// One number for the whole tensor.
    Number(f64),
}

/// A field of a [`State`], to be changed.
#[derive(Debug)]
#[non_exhaustive]
pub enum FieldMut<'a, F: Real> {
    /// A tensor that is always there.
    Tensor(&'a mut Tensor<F>),
    /// A tensor that only some options need.
    Optional(&'a mut Option<Tensor<F>>),
    /// How many gradients the tensor has seen.
    Steps(&'a mut u64),
    /// Another count.
    Count(&'a mut u64),
    /// A number.
    Number(&'a mut f64),
}

/// A type that can be a field of a [`State`]: `Tensor<F>`, `Option<Tensor<F>>`, `u64` or `f64`. For
/// [`state!`](crate::state).
#[doc(hidden)]
pub trait AsField<F: Real> {
    /// The field, if it is there.
    fn field(&self) -> Option<Field<'_, F>>;

    /// The field, to be changed.
    fn field_mut(&mut self) -> FieldMut<'_, F>;
}

impl<F: Real> AsField<F> for Tensor<F> {
    fn field(&self) -> Option<Field<'_, F>> {
        Some(Field::Tensor(self))
    }

    fn field_mut(&mut self) -> FieldMut<'_, F> {
        FieldMut::Tensor(self)
    }
}

impl<F: Real> AsField<F> for Option<Tensor<F>> {
    fn field(&self) -> Option<Field<'_, F>> {
        self.as_ref().map(Field::Tensor)
    }

    fn field_mut(&mut self) -> FieldMut<'_, F> {
        FieldMut::Optional(self)
    }
}

impl<F: Real> AsField<F> for u64 {
    fn field(&self) -> Option<Field<'_, F>> {
        Some(Field::Count(*self))
    }

    fn field_mut(&mut self) -> FieldMut<'_, F> {
        FieldMut::Count(self)
    }
}

impl<F: Real> AsField<F> for f64 {
    fn field(&self) -> Option<Field<'_, F>> {
        Some(Field::Number(*self))
    }

    fn field_mut(&mut self) -> FieldMut<'_, F> {
        FieldMut::Number(self)
    }
}

/// Puts a tensor into a field that can hold one.
pub(crate) fn put<F: Real>(field: FieldMut<'_, F>, tensor: Tensor<F>) {
    match field {
        FieldMut::Tensor(place) => *place = tensor,
        FieldMut::Optional(place) => *place = Some(tensor),
        FieldMut::Steps(_) | FieldMut::Count(_) | FieldMut::Number(_) => {}
    }
}

/// The tensors that are there.
pub(crate) fn tensors<S: State<F>, F: Real>(state: &S) -> impl Iterator<Item = (&'static str, Tensor<F>)> {
    let fields = state.fields().into_iter();
    fields.filter_map(|(name, field)| match field {
        Field::Tensor(tensor) => Some((name, tensor.clone())),
        _ => None,
    })
}

/// The tensors that are there, to be changed.
pub(crate) fn tensors_mut<S: State<F>, F: Real>(
    state: &mut S,
) -> impl Iterator<Item = (&'static str, &mut Tensor<F>)> {
    let fields = state.fields_mut().into_iter();
    fields.filter_map(|(name, field)| match field {
        FieldMut::Tensor(tensor) => Some((name, tensor)),
        FieldMut::Optional(tensor) => Some((name, tensor.as_mut()?)),
        FieldMut::Steps(_) | FieldMut::Count(_) | FieldMut::Number(_) => None,
    })
}

/// Makes a struct, generic over its float type, the [`State`] of a rule. A field called `steps` is the count of the
/// gradients that the tensor has seen, [`Field::Steps`]; what the others are follows from their types, `Tensor<F>`,
/// `Option<Tensor<F>>`, `u64` or `f64`.
///
/// ```
/// use wengert_autodiff::{Real, Tensor};
/// use wengert_optim::{Field, State, state};
///
/// #[derive(Clone, Debug)]
/// struct MeanSquare<F: Real> {
///     v: Tensor<F>,
///     steps: u64,
/// }
///
/// state!(MeanSquare { v, steps });
///
/// let state = MeanSquare { v: Tensor::<f32>::zeros(vec![2]), steps: 3 };
/// let fields = state.fields();
/// assert!(matches!(fields[..], [("v", Field::Tensor(_)), ("steps", Field::Steps(3))]));
/// assert_eq!(state.steps(), Some(3));
/// ```
///
/// The state of a rule around another is generic over that one's state too, and `..` adds its fields. They need other
/// names than the own ones.
///
/// ```
/// # use wengert_autodiff::{Real, Tensor};
/// # use wengert_optim::{Rule, Sgd, State, state};
/// #[derive(Clone, Debug)]
/// struct Around<F: Real, S> {
///     slow: Tensor<F>,
///     inner: S,
/// }
///
/// state!(Around<S> { slow, ..inner });
///
/// let slow = Tensor::<f32>::zeros(vec![2]);
/// let state = Around { inner: Sgd::default().init(&slow), slow };
/// let names: Vec<_> = state.fields().into_iter().map(|(name, _)| name).collect();
/// assert_eq!(names, ["slow", "steps"]);
/// ```
#[macro_export]
macro_rules! state {
    ($state:ident { $($field:ident),* $(,)? }) => {
        impl<F: $crate::Real> $crate::State<F> for $state<F> {
            $crate::state!(@fields $($field)*);
        }
    };
    ($state:ident<$wrapped:ident> { $($field:ident,)* ..$inner:ident }) => {
        impl<F: $crate::Real, $wrapped: $crate::State<F>> $crate::State<F> for $state<F, $wrapped> {
            $crate::state!(@fields $($field)* .. $inner);
        }
    };
    (@fields $($field:ident)* $(.. $inner:ident)?) => {
        fn fields(&self) -> Vec<(&'static str, $crate::Field<'_, F>)> {
            let fields = [$((stringify!($field), $crate::state!(@field self $field))),*];
            let fields = fields.into_iter().filter_map(|(name, field)| Some((name, field?)));
            fields$(.chain($crate::State::fields(&self.$inner)))?.collect()
        }

        fn fields_mut(&mut self) -> Vec<(&'static str, $crate::FieldMut<'_, F>)> {
            let fields = [$((stringify!($field), $crate::state!(@field_mut self $field))),*];
            fields.into_iter()$(.chain($crate::State::fields_mut(&mut self.$inner)))?.collect()
        }
    };
    (@field $state:ident steps) => {
        Some($crate::Field::Steps($state.steps))
    };
    (@field $state:ident $field:ident) => {
        $crate::AsField::<F>::field(&$state.$field)
    };
    (@field_mut $state:ident steps) => {
        $crate::FieldMut::Steps(&mut $state.steps)
    };
    (@field_mut $state:ident $field:ident) => {
        $crate::AsField::<F>::field_mut(&mut $state.$field)
    };
}

//! `module!`, which writes the walk over a type of one's own.

/// Names the parameters of a struct after its fields.
///
/// ```
/// use wengert_autodiff::{Module, Param, module};
///
/// struct Line {
///     slope: Param,
///     offset: Param,
/// }
///
/// module!(Line { slope, offset });
///
/// let line = Line { slope: Param::new(2.0), offset: Param::new(1.0) };
/// assert_eq!(line.params().into_keys().collect::<Vec<_>>(), ["offset", "slope"]);
/// ```
///
/// Write `module!(Line<F> { … })` for a struct that is generic over its float type, `module!(Line: f64 { … })` for one
/// that is not and holds `f64`. A field that is left out is not trained: if it does receive a gradient,
/// [`Gradients::unclaimed`](crate::Gradients::unclaimed) shows it.
///
/// The fields of a tuple struct are its numbers: `module!(Pair { 0, 1 })`. A struct that is generic over what it holds
/// says so, `module!(Twice<M: Module> { first, second })`, after its float type if it has one: `Twice<F, M: Module>`.
/// Of an enum those parameters are shown that its variant has: those of a tuple variant's only field under their own
/// names, as through an `Option`, those of named fields after the fields.
///
/// ```
/// # use wengert_autodiff::{Module, Param, module};
/// struct Pair<M>(Param, M);
///
/// module!(Pair<M: Module> { 0, 1 });
///
/// enum Curve {
///     Straight(Pair<Param>),
///     Bent { knee: Param, sides: [Param; 2] },
///     Flat,
/// }
///
/// module!(enum Curve { Straight(pair), Bent { knee, sides }, Flat });
///
/// let names = |curve: Curve| curve.params().into_keys().collect::<Vec<_>>();
/// assert_eq!(names(Curve::Straight(Pair(Param::new(1.0), Param::new(2.0)))), ["0", "1"]);
/// let bent = Curve::Bent { knee: Param::new(0.0), sides: [Param::new(1.0), Param::new(2.0)] };
/// assert_eq!(names(bent), ["knee", "sides.0", "sides.1"]);
/// assert!(names(Curve::Flat).is_empty());
/// ```
///
/// A field that shows no parameters is refused:
///
/// ```compile_fail
/// # use wengert_autodiff::{Param, module};
/// struct Line {
///     slope: Param,
///     name: String,
/// }
///
/// module!(Line { slope, name }); // error: `String` does not show its parameters
/// ```
#[macro_export]
macro_rules! module {
    (enum $model:ident { $($variants:tt)* }) => {
        $crate::module!(@enum [] $model, f32, { $($variants)* });
    };
    (enum $model:ident : $float:ty { $($variants:tt)* }) => {
        $crate::module!(@enum [] $model, $float, { $($variants)* });
    };
    (enum $model:ident < $float:ident > { $($variants:tt)* }) => {
        $crate::module!(@enum [<$float: $crate::Real>] $model<$float>, $float, { $($variants)* });
    };
    ($model:ident { $($field:tt),* $(,)? }) => {
        $crate::module!(@struct [] $model, f32, { $($field)* });
    };
    ($model:ident : $float:ty { $($field:tt),* $(,)? }) => {
        $crate::module!(@struct [] $model, $float, { $($field)* });
    };
    ($model:ident < $float:ident > { $($field:tt),* $(,)? }) => {
        $crate::module!(@struct [<$float: $crate::Real>] $model<$float>, $float, { $($field)* });
    };
    ($model:ident < $($held:ident : Module),+ > { $($field:tt),* $(,)? }) => {
        $crate::module!(@struct [<$($held: $crate::Module<f32>),+>] $model<$($held),+>, f32, { $($field)* });
    };
    ($model:ident < $($held:ident : Module),+ > : $float:ty { $($field:tt),* $(,)? }) => {
        $crate::module!(@struct [<$($held: $crate::Module<$float>),+>] $model<$($held),+>, $float, { $($field)* });
    };
    ($model:ident < $float:ident, $($held:ident : Module),+ > { $($field:tt),* $(,)? }) => {
        $crate::module!(
            @struct [<$float: $crate::Real, $($held: $crate::Module<$float>),+>]
            $model<$float, $($held),+>, $float, { $($field)* }
        );
    };
    (@struct [$($generics:tt)*] $model:ty, $float:ty, { $($field:tt)* }) => {
        impl $($generics)* $crate::Module<$float> for $model {
            fn visit<'a>(&'a self, path: &mut $crate::ModulePath, visitor: &mut $crate::Visitor<'_, 'a, $float>) {
                $(path.enter(stringify!($field), |path| $crate::Module::visit(&self.$field, path, visitor));)*
                let _ = (path, visitor);
            }

            fn visit_mut<'a>(
                &'a mut self,
                path: &mut $crate::ModulePath,
                visitor: &mut $crate::VisitorMut<'_, 'a, $float>,
            ) {
                $(path.enter(stringify!($field), |path| $crate::Module::visit_mut(&mut self.$field, path, visitor));)*
                let _ = (path, visitor);
            }
        }
    };
    (@enum [$($generics:tt)*] $model:ty, $float:ty, {
        $($variant:ident $(($inner:ident))? $({ $($field:ident),* $(,)? })?),* $(,)?
    }) => {
        impl $($generics)* $crate::Module<$float> for $model {
            fn visit<'a>(&'a self, path: &mut $crate::ModulePath, visitor: &mut $crate::Visitor<'_, 'a, $float>) {
                match self {
                    $(Self::$variant $(($inner))? $({ $($field,)* .. })? => {
                        $($crate::Module::visit($inner, path, visitor);)?
                        $($(path.enter(stringify!($field), |path| $crate::Module::visit($field, path, visitor));)*)?
                    })*
                }
                let _ = (path, visitor);
            }

            fn visit_mut<'a>(
                &'a mut self,
                path: &mut $crate::ModulePath,
                visitor: &mut $crate::VisitorMut<'_, 'a, $float>,
            ) {
                match self {
                    $(Self::$variant $(($inner))? $({ $($field,)* .. })? => {
                        $($crate::Module::visit_mut($inner, path, visitor);)?
                        $($(path.enter(stringify!($field), |path| $crate::Module::visit_mut($field, path, visitor));)*)?
                    })*
                }
                let _ = (path, visitor);
            }
        }
    };
}

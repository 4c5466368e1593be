//! Products, and sums and products of all that came before.

use ndarray::Axis;

use super::Reduction;
use crate::compute::sum::add_one;
use crate::compute::{buffers, elementwise, layout, reduce};
use crate::ops::axes;
use crate::{Real, Var};

impl<F: Real> Var<'_, F> {
    /// The product of all elements, a scalar of shape `[]`: see [`prod_axes`](Var::prod_axes).
    ///
    /// ```
    /// # let tape = wengert_autodiff::Tape::new();
    /// assert_eq!(tape.variable([[1.0, 2.0], [3.0, 4.0]]).prod().item(), 24.0);
    /// ```
    #[doc(alias("product", "reduce_prod"))]
    #[track_caller]
    pub fn prod(self) -> Self {
        self.prod_axes(&self.all_axes(), false)
    }

    /// `y = Π x` over `axes`; `dx` is `dy` times the product of all other elements, which is right with zeros, too. The
    /// product of no elements is 1. The axes disappear or, with `keepdim`, stay with size 1.
    ///
    /// ```
    /// # use wengert_autodiff::{IntoTensor, Tape};
    /// # let tape = Tape::new();
    /// let x = tape.variable([[1.0, 2.0], [3.0, 4.0]]);
    /// assert_eq!(x.prod_axes(&[1], false).value(), [2.0, 12.0].into_tensor());
    /// ```
    ///
    /// # Panics
    ///
    /// If an axis does not exist or is given twice.
    #[doc(alias("prod_axis", "prod_dim", "product", "reduce_prod"))]
    #[track_caller]
    pub fn prod_axes(self, axes: &[isize], keepdim: bool) -> Self {
        let x = self.value();
        let over = Reduction::new("prod", x.shape(), axes, keepdim);
        // The reduced axes become one, the last.
        let kept = (0..x.ndim()).filter(|&axis| !over.axes.contains(&Axis(axis)));
        let order: Vec<_> = kept.chain(over.axes.iter().map(|axis| axis.index())).collect();
        let permuted = x.permuted_axes(&*order);
        let permuted_shape = permuted.shape().to_vec();
        let mut shape = permuted_shape[..permuted_shape.len() - over.axes.len()].to_vec();
        shape.push(over.count);
        let lanes = layout::reshaped(permuted, &shape);
        let last = Axis(shape.len() - 1);
        let y = over.finish(reduce::fold_axis(&lanes, last, F::ONE, |a, b| a * b));
        let dx = self.edge(move |dy| {
            let mut others = buffers::scratch(lanes.shape());
            elementwise::for_each_lane(&mut others, &lanes, last, products_of_others);
            let dy = if over.keepdim { layout::reshaped(dy, &shape[..last.index()]) } else { dy };
            let dx = elementwise::broadcast_map(&others, &dy.insert_axis(last), &shape, |others, dy| {
                if others.is_zero() { others } else { others * dy }
            });
            let mut back = vec![0; order.len()];
            order.iter().enumerate().for_each(|(new, &old)| back[old] = new);
            layout::reshaped(dx, &permuted_shape).permuted_axes(back)
        });
        self.tape().record("prod", y, [dx])
    }

    /// `yᵢ = x₀ + … + xᵢ` along `axis`, in the shape of `x`; `dxᵢ = dyᵢ + dyᵢ₊₁ + …`. What rounding takes from a sum is
    /// carried along and does not add up.
    ///
    /// ```
    /// # use wengert_autodiff::{IntoTensor, Tape};
    /// # let tape = Tape::new();
    /// assert_eq!(tape.variable([1.0, 2.0, 3.0]).cumsum(0).value(), [1.0, 3.0, 6.0].into_tensor());
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no such axis.
    #[doc(alias("cumulative_sum", "prefix_sum", "scan"))]
    #[track_caller]
    pub fn cumsum(self, axis: isize) -> Self {
        let x = self.value();
        let axis = axes::axis("cumsum", axis, x.shape());
        let mut y = buffers::scratch(x.shape());
        elementwise::for_each_lane(&mut y, &x, axis, |y, x| running_sums(y.iter_mut().zip(x)));
        let dx = self.edge(move |dy| {
            let mut dx = buffers::scratch(dy.shape());
            elementwise::for_each_lane(&mut dx, &dy, axis, |dx, dy| {
                running_sums(dx.iter_mut().zip(dy).rev())
            });
            dx
        });
        self.tape().record("cumsum", y, [dx])
    }

    /// `yᵢ = x₀ ⋯ xᵢ` along `axis`, in the shape of `x`; `dxᵢ = Σ dyⱼ yⱼ / xᵢ` over `j ≥ i`, without the division: it
    /// is right with zeros, too.
    ///
    /// ```
    /// # use wengert_autodiff::{IntoTensor, Tape};
    /// # let tape = Tape::new();
    /// assert_eq!(tape.variable([1.0, 2.0, 3.0]).cumprod(0).value(), [1.0, 2.0, 6.0].into_tensor());
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no such axis.
    #[doc(alias = "cumulative_product")]
    #[track_caller]
    pub fn cumprod(self, axis: isize) -> Self {
        let x = self.value();
        let axis = axes::axis("cumprod", axis, x.shape());
        let mut y = buffers::scratch(x.shape());
        elementwise::for_each_lane(&mut y, &x, axis, |y, x| {
            let mut product = F::ONE;
            y.iter_mut().zip(x).for_each(|(y, &x)| {
                product *= x;
                *y = product;
            });
        });
        let dx = self.edge(move |mut dy| {
            elementwise::for_each_lane(&mut dy, &x, axis, cumprod_pullback);
            dy
        });
        self.tape().record("cumprod", y, [dx])
    }
}

/// Each element's place gets the product of the others, from those before and those after it.
fn products_of_others<F: Real>(others: &mut [F], x: &[F]) {
    let mut product = F::ONE;
    for (others, &x) in others.iter_mut().zip(x) {
        *others = product;
        product *= x;
    }
    product = F::ONE;
    for (others, &x) in others.iter_mut().zip(x).rev() {
        *others *= product;
        product *= x;
    }
}

/// `dxᵢ = (x₀ ⋯ xᵢ₋₁) (dyᵢ + xᵢ₊₁ (dyᵢ₊₁ + xᵢ₊₂ (…)))`.
fn cumprod_pullback<F: Real>(dy: &mut [F], x: &[F]) {
    let mut later = F::ZERO;
    for (dy, &x) in dy.iter_mut().zip(x).rev() {
        later += *dy;
        *dy = later;
        later *= x;
    }
    let mut product = F::ONE;
    for (dy, &x) in dy.iter_mut().zip(x) {
        *dy *= product;
        product *= x;
    }
}

/// The sums so far.
fn running_sums<'x, F: Real>(pairs: impl Iterator<Item = (&'x mut F, &'x F)>) {
    let (mut sum, mut lost) = (F::ZERO, F::ZERO);
    for (y, &x) in pairs {
        add_one(&mut sum, &mut lost, x);
        *y = sum;
    }
}

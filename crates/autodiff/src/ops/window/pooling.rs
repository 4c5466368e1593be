//! One number for each window of an image or a signal.

use super::{PoolOptions, with_height, without_height};
use crate::compute::window::pooling::Windows;
use crate::{Real, Var};

/// # Pooling
///
/// Of images `[n, c, h, w]` to `[n, c, places_h, places_w]`, or of signals `[n, c, l]` to `[n, c, places]`. To pool
/// whole images, use [`mean_axes`](Var::mean_axes) or [`max_axes`](Var::max_axes).
impl<F: Real> Var<'_, F> {
    /// The largest element of each window, which gets the gradient: the first of several. NaN is larger than anything.
    ///
    /// ```
    /// # use wengert_autodiff::{IntoTensor, Tape};
    /// # let tape = Tape::new();
    /// let x = tape.variable([[[[1.0, 2.0, 5.0, 6.0], [3.0, 4.0, 8.0, 7.0]]]]);
    /// assert_eq!(x.max_pool2d(2).value(), [[[[4.0, 8.0]]]].into_tensor());
    /// ```
    ///
    /// # Panics
    ///
    /// Unless `x` has four axes and a window fits into it; if the padding is more than half a window.
    #[doc(alias("MaxPooling2D", "MaxPool2d"))]
    #[track_caller]
    pub fn max_pool2d(self, options: impl Into<PoolOptions<2>>) -> Self {
        let (options, size) = (options.into(), self.image_size("max_pool2d"));
        let sliding = options.sliding("max_pool2d", size);
        self.max_of("max_pool2d", Windows::sliding(&sliding, options.padding, false))
    }

    /// The mean of each window, whose elements get equal parts of the gradient.
    ///
    /// ```
    /// # use wengert_autodiff::{IntoTensor, Tape};
    /// # let tape = Tape::new();
    /// let x = tape.variable([[[[1.0, 2.0, 5.0, 6.0], [3.0, 4.0, 8.0, 7.0]]]]);
    /// assert_eq!(x.avg_pool2d(2).value(), [[[[2.5, 6.5]]]].into_tensor());
    /// ```
    ///
    /// # Panics
    ///
    /// As [`max_pool2d`](Var::max_pool2d); if there is a dilation.
    #[doc(alias("AveragePooling2D", "AvgPool2d", "mean_pool"))]
    #[track_caller]
    pub fn avg_pool2d(self, options: impl Into<PoolOptions<2>>) -> Self {
        let (options, size) = (options.into(), self.image_size("avg_pool2d"));
        assert!(
            options.dilation == [1, 1],
            "`avg_pool2d` knows no dilation, and {:?} is given",
            options.dilation
        );
        let sliding = options.sliding("avg_pool2d", size);
        self.mean_of("avg_pool2d", Windows::sliding(&sliding, options.padding, options.count_include_pad))
    }

    /// The largest elements of `output` windows along each axis, as equal as can be: window `i` of `k` covers the
    /// pixels from `⌊i h / k⌋` to `⌈(i + 1) h / k⌉`.
    ///
    /// ```
    /// # use wengert_autodiff::{IntoTensor, Tape};
    /// # let tape = Tape::new();
    /// let x = tape.variable([[[[1.0, 2.0, 5.0], [3.0, 4.0, 8.0]]]]);
    /// assert_eq!(x.adaptive_max_pool2d([1, 2]).value(), [[[[4.0, 8.0]]]].into_tensor());
    /// ```
    ///
    /// # Panics
    ///
    /// Unless `x` has four axes, and pixels; if a number of windows is 0.
    #[track_caller]
    pub fn adaptive_max_pool2d(self, output: [usize; 2]) -> Self {
        let windows = self.adaptive("adaptive_max_pool2d", output);
        self.max_of("adaptive_max_pool2d", windows)
    }

    /// The means of the windows of [`adaptive_max_pool2d`](Var::adaptive_max_pool2d).
    ///
    /// ```
    /// # use wengert_autodiff::{IntoTensor, Tape};
    /// # let tape = Tape::new();
    /// let x = tape.variable([[[[1.0, 2.0, 5.0], [3.0, 4.0, 8.0]]]]);
    /// assert_eq!(x.adaptive_avg_pool2d([2, 1]).value(), [[[[8.0 / 3.0], [5.0]]]].into_tensor());
    /// ```
    ///
    /// # Panics
    ///
    /// As there.
    #[doc(alias = "GlobalAveragePooling2D")]
    #[track_caller]
    pub fn adaptive_avg_pool2d(self, output: [usize; 2]) -> Self {
        let windows = self.adaptive("adaptive_avg_pool2d", output);
        self.mean_of("adaptive_avg_pool2d", windows)
    }

    /// [`max_pool2d`](Var::max_pool2d) of signals `[n, c, l]`.
    ///
    /// ```
    /// # use wengert_autodiff::{IntoTensor, Tape};
    /// # let tape = Tape::new();
    /// let x = tape.variable([[[1.0, 2.0, 5.0, 4.0, 9.0]]]);
    /// assert_eq!(x.max_pool1d(2).value(), [[[2.0, 5.0]]].into_tensor());
    /// ```
    ///
    /// # Panics
    ///
    /// As there, for three axes.
    #[doc(alias("MaxPooling1D", "MaxPool1d"))]
    #[track_caller]
    pub fn max_pool1d(self, options: impl Into<PoolOptions<1>>) -> Self {
        let x = with_height("max_pool1d", "an input [n, c, l]", self);
        without_height(x.max_pool2d(options.into().with_height()))
    }

    /// [`avg_pool2d`](Var::avg_pool2d) of signals `[n, c, l]`.
    ///
    /// ```
    /// # use wengert_autodiff::{IntoTensor, Tape};
    /// # let tape = Tape::new();
    /// let x = tape.variable([[[1.0, 2.0, 5.0, 4.0, 9.0]]]);
    /// assert_eq!(x.avg_pool1d(2).value(), [[[1.5, 4.5]]].into_tensor());
    /// ```
    ///
    /// # Panics
    ///
    /// As there, for three axes.
    #[doc(alias("AveragePooling1D", "AvgPool1d"))]
    #[track_caller]
    pub fn avg_pool1d(self, options: impl Into<PoolOptions<1>>) -> Self {
        let x = with_height("avg_pool1d", "an input [n, c, l]", self);
        without_height(x.avg_pool2d(options.into().with_height()))
    }

    #[track_caller]
    fn image_size(self, op: &str) -> [usize; 2] {
        match *self.shape() {
            [_, _, height, width] if height * width > 0 => [height, width],
            ref shape => {
                panic!("`{op}` needs an input [n, c, h, w] with pixels, this one has shape {shape:?}")
            }
        }
    }

    #[track_caller]
    fn adaptive(self, op: &str, output: [usize; 2]) -> Windows {
        let size = self.image_size(op);
        assert!(!output.contains(&0), "`{op}`: {output:?} windows are none");
        Windows::adaptive(size, output)
    }

    #[track_caller]
    fn max_of(self, op: &'static str, windows: Windows) -> Self {
        let x = self.value();
        let y = windows.max(&x);
        let dx = self.edge(move |dy| windows.max_gradient(&dy, &x));
        self.tape().record(op, y, [dx])
    }

    #[track_caller]
    fn mean_of(self, op: &'static str, windows: Windows) -> Self {
        let y = windows.mean(&self.value());
        let dx = self.edge(move |dy| windows.mean_gradient(&dy));
        self.tape().record(op, y, [dx])
    }
}

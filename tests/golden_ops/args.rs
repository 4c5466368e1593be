use serde_json::Value;
use wengert_autodiff::ndarray::ArrayD;

use crate::golden::{integers, number};

/// What a case says beside its tensors.
#[derive(Clone, Copy)]
pub(crate) struct Args<'a>(pub(crate) &'a Value);

impl Args<'_> {
    pub(crate) fn number(self, name: &str) -> f64 {
        number(&self.0[name])
    }

    pub(crate) fn integer(self, name: &str) -> usize {
        self.0[name].as_u64().expect("an integer") as usize
    }

    pub(crate) fn array<const N: usize>(self, name: &str) -> [usize; N] {
        self.list(name).try_into().unwrap_or_else(|list| panic!("{name}: {list:?}"))
    }

    pub(crate) fn flag(self, name: &str) -> bool {
        self.0[name].as_bool().expect("true or false")
    }

    pub(crate) fn axis(self, name: &str) -> isize {
        self.0[name].as_i64().expect("an axis") as isize
    }

    pub(crate) fn list(self, name: &str) -> Vec<usize> {
        integers(&self.0[name])
    }

    pub(crate) fn axes(self) -> Vec<isize> {
        self.list("axes").into_iter().map(|axis| axis as isize).collect()
    }

    pub(crate) fn keepdim(self) -> bool {
        self.flag("keepdim")
    }

    pub(crate) fn index(self) -> ArrayD<usize> {
        let recorded = &self.0["index"];
        ArrayD::from_shape_vec(integers(&recorded["shape"]), integers(&recorded["data"]))
            .expect("as many numbers as the shape says")
    }
}

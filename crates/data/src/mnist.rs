//! MNIST and the sets made in its likeness: Fashion-MNIST, KMNIST, EMNIST.

use std::path::{Path, PathBuf};

use ndarray::{Array3, ArrayD};

use crate::{DataError, ImageDataset, idx};

/// The two halves every set of the family is published in.
#[derive(Clone, Debug)]
pub struct TrainTest {
    /// To learn from.
    pub train: ImageDataset,
    /// To be measured on, and nothing else.
    pub test: ImageDataset,
}

/// The splits of EMNIST (Cohen, Afshar, Tapson, van Schaik, 2017).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Emnist {
    /// Digits, capitals and small letters as they fell: 62 classes.
    ByClass,
    /// As `ByClass`, with the 15 small letters that look like their capitals merged into them: 47 classes.
    ByMerge,
    /// The classes of `ByMerge`, equally many of each.
    Balanced,
    /// 26 letters, capital and small together; class 0 is A (the files count from 1).
    Letters,
    /// 10 digits, equally many of each.
    Digits,
    /// 10 digits, the size of MNIST.
    Mnist,
}

/// Loads MNIST, or Fashion-MNIST or KMNIST, which use the same four names: `train-images`, `train-labels`,
/// `t10k-images`, `t10k-labels`, each as `…-idx3-ubyte` or `….idx3-ubyte` (`idx1` for labels), with or without `.gz`.
///
/// # Errors
///
/// [`DataError::Missing`] with every name looked for; otherwise the errors of [`idx::read`] and [`ImageDataset::new`],
/// with the file.
#[doc(alias = "torchvision")]
pub fn load(directory: impl AsRef<Path>) -> Result<TrainTest, DataError> {
    let half = |prefix| load_half(directory.as_ref(), prefix, 10, |images| images, 0);
    same_size(directory.as_ref(), half("train")?, half("t10k")?)
}

/// Loads a split of EMNIST from its IDX files, `emnist-letters-train-images-idx3-ubyte.gz` and so on, in the spellings
/// [`load`] accepts. The files hold every image transposed; here they are upright.
///
/// # Errors
///
/// As [`load`].
pub fn load_emnist(directory: impl AsRef<Path>, split: Emnist) -> Result<TrainTest, DataError> {
    let (name, classes, first_label) = match split {
        Emnist::ByClass => ("byclass", 62, 0),
        Emnist::ByMerge => ("bymerge", 47, 0),
        Emnist::Balanced => ("balanced", 47, 0),
        Emnist::Letters => ("letters", 26, 1),
        Emnist::Digits => ("digits", 10, 0),
        Emnist::Mnist => ("mnist", 10, 0),
    };
    let upright = |images: Array3<u8>| images.permuted_axes([0, 2, 1]);
    let half = |half| {
        let prefix = format!("emnist-{name}-{half}");
        load_half(directory.as_ref(), &prefix, classes, upright, first_label)
    };
    same_size(directory.as_ref(), half("train")?, half("test")?)
}

fn load_half(
    directory: &Path,
    prefix: &str,
    classes: usize,
    arrange: impl Fn(Array3<u8>) -> Array3<u8>,
    first_label: u8,
) -> Result<ImageDataset, DataError> {
    let images_path = find(directory, &format!("{prefix}-images"), "idx3-ubyte")?;
    let labels_path = find(directory, &format!("{prefix}-labels"), "idx1-ubyte")?;
    let images = read_rank(&images_path, 3)?.into_dimensionality().expect("rank 3 was checked");
    let labels = read_rank(&labels_path, 1)?.into_raw_vec_and_offset().0;
    from_zero(labels, first_label, classes)
        .and_then(|labels| ImageDataset::new(arrange(images), labels, classes))
        .map_err(DataError::in_file(labels_path))
}

fn read_rank(path: &Path, rank: usize) -> Result<ArrayD<u8>, DataError> {
    let array = idx::read(path)?;
    if array.ndim() != rank {
        let found = format!("sizes {:?}", array.shape());
        return Err(DataError::malformed(path, format!("an array of rank {rank}"), found));
    }
    Ok(array)
}

/// Labels that count from `first`, made to count from 0.
fn from_zero(labels: Vec<u8>, first: u8, classes: usize) -> Result<Vec<u8>, DataError> {
    let range = usize::from(first)..usize::from(first) + classes;
    if let Some(index) = labels.iter().position(|&label| !range.contains(&label.into())) {
        return Err(DataError::LabelOutOfRange { index, label: labels[index], first: first.into(), classes });
    }
    Ok(labels.into_iter().map(|label| label - first).collect())
}

fn same_size(directory: &Path, train: ImageDataset, test: ImageDataset) -> Result<TrainTest, DataError> {
    if train.image_size() != test.image_size() {
        let expected = format!("test images of the size of the training images, {:?}", train.image_size());
        return Err(DataError::malformed(directory, expected, format!("{:?}", test.image_size())));
    }
    Ok(TrainTest { train, test })
}

/// The first spelling of `stem` that is a file. One archive in circulation has directories of these very names, with
/// the files inside.
fn find(directory: &Path, stem: &str, kind: &str) -> Result<PathBuf, DataError> {
    let names = ["-", "."].map(|dot| format!("{stem}{dot}{kind}"));
    let names: Vec<String> = names.into_iter().flat_map(|name| [format!("{name}.gz"), name]).collect();
    match names.iter().map(|name| directory.join(name)).find(|path| path.is_file()) {
        Some(path) => Ok(path),
        None => Err(DataError::Missing { directory: directory.into(), names }),
    }
}

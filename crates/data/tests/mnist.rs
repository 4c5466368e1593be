//! Directories of the MNIST family: every spelling is found, and what is wrong is said with the file's name.
//!
//! With `WENGERT_MNIST_DIR` set to a directory that holds the real MNIST, that is tested too.

use std::fs;
use std::path::Path;

use ndarray::{Array1, Array3};
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use wengert_data::mnist::{self, Emnist};
use wengert_data::{DataError, idx};

/// Writes `labels.len()` images of 2×3; image `i` has the pixels `10 i ..`.
fn write_half(directory: &Path, images: &str, labels: &str, digits: &[u8]) {
    let pixels = Array3::from_shape_fn((digits.len(), 2, 3), |(i, r, c)| (10 * i + 3 * r + c) as u8);
    idx::write(directory.join(images), pixels.view().into_dyn()).unwrap();
    idx::write(directory.join(labels), Array1::from(digits.to_vec()).view().into_dyn()).unwrap();
}

fn write_all(directory: &Path, train: &[u8], test: &[u8]) {
    write_half(directory, "train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz", train);
    write_half(directory, "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte", test);
}

#[test]
fn every_spelling_is_found() {
    for (dot, gz) in [("-", ".gz"), ("-", ""), (".", ".gz"), (".", "")] {
        let directory = TempDir::new().unwrap();
        for (half, digits) in [("train", &[5, 0, 4][..]), ("t10k", &[7, 2])] {
            let (images, labels) =
                (format!("{half}-images{dot}idx3-ubyte{gz}"), format!("{half}-labels{dot}idx1-ubyte{gz}"));
            write_half(directory.path(), &images, &labels, digits);
        }
        let data = mnist::load(directory.path()).unwrap();
        assert_eq!((data.train.labels(), data.test.labels()), (&[5, 0, 4][..], &[7, 2][..]));
        assert_eq!((data.train.image_size(), data.train.classes()), ((2, 3), 10));
        assert_eq!(data.train.image(2)[[1, 2]], 25);
    }
}

#[test]
fn a_missing_file_or_directory_is_named_with_what_was_looked_for() {
    let directory = TempDir::new().unwrap();
    let absent = directory.path().join("absent");
    let message = mnist::load(&absent).unwrap_err().to_string();
    for part in [absent.to_str().unwrap(), "train-images-idx3-ubyte.gz", "train-images.idx3-ubyte"] {
        assert!(message.contains(part), "{message}");
    }
    let hostile = mnist::load("no\u{1b}[2J").unwrap_err().to_string();
    assert!(hostile.starts_with(r"no\u001b[2J: expected a file"), "{hostile}");
    write_all(directory.path(), &[1], &[2]);
    fs::remove_file(directory.path().join("t10k-labels-idx1-ubyte")).unwrap();
    let error = mnist::load(directory.path()).unwrap_err();
    assert!(
        matches!(&error, DataError::Missing { names, .. } if names.contains(&"t10k-labels-idx1-ubyte".into()))
    );
    // A directory of that name is not the file.
    fs::create_dir(directory.path().join("t10k-labels-idx1-ubyte")).unwrap();
    assert!(matches!(mnist::load(directory.path()).unwrap_err(), DataError::Missing { .. }));
}

#[test]
fn bad_labels_and_counts_name_the_file() {
    let directory = TempDir::new().unwrap();
    write_all(directory.path(), &[1, 10], &[2]);
    let message = mnist::load(directory.path()).unwrap_err().to_string();
    assert!(
        message.ends_with("train-labels-idx1-ubyte.gz: expected labels 0..10, found 10 at index 1"),
        "{message}"
    );

    write_half(directory.path(), "train-images-idx3-ubyte.gz", "other", &[1, 2, 3]);
    idx::write(
        directory.path().join("train-labels-idx1-ubyte.gz"),
        Array1::from(vec![1, 2]).view().into_dyn(),
    )
    .unwrap();
    let message = mnist::load(directory.path()).unwrap_err().to_string();
    assert!(
        message.ends_with("labels-idx1-ubyte.gz: expected one label per image, found 3 images and 2 labels")
    );
}

/// QMNIST has eight numbers for each image, of which the first is the label: here as 32-bit integers in big-endian
/// order, written out by hand.
#[test]
fn qmnist_has_its_labels_among_other_numbers() {
    let directory = TempDir::new().unwrap();
    let labels = |half: &str, rows: &[[i32; 8]]| {
        let mut bytes = vec![0, 0, 0x0c, 2, 0, 0, 0, rows.len() as u8, 0, 0, 0, 8];
        bytes.extend(rows.iter().flatten().flat_map(|number| number.to_be_bytes()));
        fs::write(directory.path().join(format!("qmnist-{half}-labels-idx2-int")), bytes).unwrap();
    };
    for half in ["train", "test"] {
        write_half(directory.path(), &format!("qmnist-{half}-images-idx3-ubyte.gz"), "other", &[0, 0]);
        labels(half, &[[5, 0, 216, 38, 5, 2, 0, 0], [9, 4, 100_000, 1, 2, 3, 4, 5]]);
    }
    let data = mnist::load_qmnist(directory.path()).unwrap();
    assert_eq!((data.train.labels(), data.test.labels()), (&[5, 9][..], &[5, 9][..]));
    assert_eq!(data.test.image(1)[[0, 0]], 10);
    for (bad, words) in [(10, "found 10 at index 1"), (-1, "found -1"), (1 << 20, "found 1048576")] {
        labels("test", &[[0; 8], [bad; 8]]);
        let message = mnist::load_qmnist(directory.path()).unwrap_err().to_string();
        assert!(message.contains("qmnist-test-labels-idx2-int: ") && message.contains(words), "{message}");
    }
}

/// A header that promises much costs nothing: what is inflated is inflated only if the headers agree.
#[test]
fn images_without_pixels_or_labels_are_refused_by_their_header() {
    let directory = TempDir::new().unwrap();
    write_all(directory.path(), &[1], &[2]);
    let images = directory.path().join("t10k-images-idx3-ubyte");
    for shape in [(1, 0, 0), (1, 5, 0), (1, 0, 5), (0, 0, 0)] {
        idx::write(&images, Array3::<u8>::zeros(shape).view().into_dyn()).unwrap();
        let message = mnist::load(directory.path()).unwrap_err().to_string();
        assert!(
            message.contains("t10k-images-idx3-ubyte: expected images of 1 to 1048576 pixels"),
            "{message}"
        );
    }
    // A few kB that promise a MB, in images that take a network's memory.
    let packed = directory.path().join("t10k-images-idx3-ubyte.gz");
    idx::write(&packed, Array3::<u8>::zeros((1, 1025, 1024)).view().into_dyn()).unwrap();
    let message = mnist::load(directory.path()).unwrap_err().to_string();
    assert!(
        message.ends_with("expected images of 1 to 1048576 pixels, found sizes [1, 1025, 1024]"),
        "{message}"
    );
    // A sound header, and damage behind it that would be seen on reading.
    fs::remove_file(&images).unwrap();
    idx::write(&packed, Array3::<u8>::zeros((100_000, 10, 10)).view().into_dyn()).unwrap();
    let mut bytes = fs::read(&packed).unwrap();
    bytes.truncate(bytes.len() - 10);
    fs::write(&packed, bytes).unwrap();
    let message = mnist::load(directory.path()).unwrap_err().to_string();
    assert!(message.ends_with("found 100000 images and 1 labels"), "{message}");
}

#[test]
fn swapped_files_and_images_of_another_size_are_refused() {
    let directory = TempDir::new().unwrap();
    write_all(directory.path(), &[1], &[2]);
    fs::rename(directory.path().join("t10k-images-idx3-ubyte"), directory.path().join("kept")).unwrap();
    fs::copy(
        directory.path().join("t10k-labels-idx1-ubyte"),
        directory.path().join("t10k-images-idx3-ubyte"),
    )
    .unwrap();
    let message = mnist::load(directory.path()).unwrap_err().to_string();
    assert!(
        message.contains("t10k-images-idx3-ubyte: expected an array of rank 3, found sizes [1]"),
        "{message}"
    );

    let images = Array3::<u8>::zeros((1, 5, 5));
    idx::write(directory.path().join("t10k-images-idx3-ubyte"), images.view().into_dyn()).unwrap();
    let message = mnist::load(directory.path()).unwrap_err().to_string();
    assert!(message.contains("(2, 3)") && message.contains("(5, 5)"), "{message}");
}

#[test]
fn emnist_is_put_upright_and_letters_count_from_zero() {
    let directory = TempDir::new().unwrap();
    for half in ["train", "test"] {
        let name = |kind| format!("emnist-letters-{half}-{kind}-ubyte.gz");
        write_half(directory.path(), &name("images-idx3"), &name("labels-idx1"), &[1, 26]);
    }
    let data = mnist::load_emnist(directory.path(), Emnist::Letters).unwrap();
    assert_eq!((data.test.labels(), data.test.classes()), (&[0, 25][..], 26));
    assert_eq!(data.train.image_size(), (3, 2));
    // The file holds rows 10 11 12 / 13 14 15.
    assert_eq!(data.train.image(1), ndarray::array![[10, 13], [11, 14], [12, 15]]);

    let message = mnist::load_emnist(directory.path(), Emnist::Balanced).unwrap_err().to_string();
    assert!(message.contains("emnist-balanced-train-images-idx3-ubyte.gz"), "{message}");
    for bad in [0, 27] {
        let (images, labels) =
            ("emnist-letters-test-images-idx3-ubyte.gz", "emnist-letters-test-labels-idx1-ubyte.gz");
        write_half(directory.path(), images, labels, &[1, bad]);
        let message = mnist::load_emnist(directory.path(), Emnist::Letters).unwrap_err().to_string();
        assert!(message.contains(&format!("expected labels 1..27, found {bad} at index 1")), "{message}");
    }
}

#[test]
fn the_real_mnist() {
    let Some(directory) = std::env::var_os("WENGERT_MNIST_DIR") else {
        println!("skipped: WENGERT_MNIST_DIR is not set");
        return;
    };
    let data = mnist::load(directory).unwrap();
    assert_eq!((data.train.len(), data.test.len(), data.train.image_size()), (60_000, 10_000, (28, 28)));
    assert_eq!(data.train.labels()[..5], [5, 0, 4, 1, 9]);
    assert_eq!(data.test.labels()[..5], [7, 2, 1, 0, 4]);
    // The mean and deviation everyone standardises MNIST by.
    let stats = data.train.pixel_stats();
    assert!((stats.mean - 0.1307).abs() < 5e-5 && (stats.std - 0.3081).abs() < 5e-5, "{stats:?}");

    // Checksums of the decompressed files: datasets/README.md. Writing them again must give the same bytes.
    let copy = TempDir::new().unwrap();
    for (half, name, images, labels) in [
        (
            &data.train,
            "train",
            "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
            "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        ),
        (
            &data.test,
            "t10k",
            "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
            "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
        ),
    ] {
        let pixels = (0..half.len()).flat_map(|i| half.image(i).into_iter().copied()).collect();
        let pixels = Array3::from_shape_vec((half.len(), 28, 28), pixels).unwrap();
        let path = copy.path().join(name);
        idx::write(&path, pixels.view().into_dyn()).unwrap();
        assert_eq!(sha256(&path), images);
        idx::write(&path, Array1::from(half.labels().to_vec()).view().into_dyn()).unwrap();
        assert_eq!(sha256(&path), labels);
    }
}

fn sha256(path: &Path) -> String {
    Sha256::digest(fs::read(path).unwrap()).iter().map(|byte| format!("{byte:02x}")).collect()
}

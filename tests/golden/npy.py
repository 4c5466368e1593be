"""Records arrays as NumPy writes them: `arrays.npz`, `compressed.npz`, which `crates/data/tests/npy.rs` reads."""

import pathlib

import numpy as np

folder = pathlib.Path(__file__).parent
count = np.arange(24).reshape(2, 3, 4)
types = ["u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f4", "f8"]
arrays = {dtype: count.astype("<" + dtype) for dtype in types}
arrays["big_f4"] = count.astype(">f4")
arrays["big_i8"] = count.astype(">i8")
arrays["fortran"] = np.asfortranarray(count.astype("f4"))
arrays["bool"] = count % 2 == 1
arrays["scalar"] = np.array(2.5)
arrays["empty"] = np.zeros((0, 3), dtype="f4")
arrays["text"] = np.array(["a", "b"])
arrays["complex"] = np.array([1 + 2j])
np.savez(folder / "arrays.npz", **arrays)
np.savez_compressed(folder / "compressed.npz", **arrays)

//! How the page comes in. Without threads and without copies: the page writes its question where it is told to, and
//! reads the answer there.
//!
//! The three functions take and return plain numbers, so that the page needs no script that `wasm-bindgen`'s own tool
//! would generate, and nobody has to install that tool. What the crate is for here is to export them: `no_mangle` is
//! `unsafe`, which this workspace has in one folder only.

use std::cell::RefCell;

use wasm_bindgen::prelude::wasm_bindgen;

use crate::Playground;

thread_local! {
    static ROOM: RefCell<(Playground, Vec<u8>)> = RefCell::default();
}

/// Where a question of this many bytes may be written.
#[wasm_bindgen]
pub fn question(length: usize) -> usize {
    ROOM.with_borrow_mut(|(_, text)| {
        text.clear();
        text.resize(length, 0);
        text.as_ptr() as usize
    })
}

/// Answers the question that was written; returns how many bytes the answer has.
#[wasm_bindgen]
pub fn answer() -> usize {
    ROOM.with_borrow_mut(|(playground, text)| {
        *text = playground.answer(&String::from_utf8_lossy(text)).into_bytes();
        text.len()
    })
}

/// Where the answer is.
#[wasm_bindgen]
pub fn address() -> usize {
    ROOM.with_borrow(|(_, text)| text.as_ptr() as usize)
}

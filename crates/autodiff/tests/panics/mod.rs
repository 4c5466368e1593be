//! What a panic said, and where.

use std::cell::RefCell;
use std::panic::{self, AssertUnwindSafe, Location};
use std::sync::Once;

thread_local! {
    /// `Some` while this thread expects a panic: the message, file and line of the last one.
    static CAUGHT: RefCell<Option<(String, String, u32)>> = const { RefCell::new(None) };
}

/// Runs `code`, which must panic on the line of this call or just below, with a message that has all `parts`.
#[track_caller]
pub(crate) fn assert_panics(parts: &[&str], code: impl FnOnce()) {
    let here = Location::caller();
    listen();
    CAUGHT.set(Some(Default::default()));
    let outcome = panic::catch_unwind(AssertUnwindSafe(code));
    let (message, file, line) = CAUGHT.take().unwrap_or_default();
    assert!(outcome.is_err(), "nothing panicked");
    for part in parts {
        assert!(message.contains(part), "{part:?} is not in the message {message:?}");
    }
    assert_eq!(file, here.file(), "the panic names another file than the caller's: {message}");
    let lines = here.line()..here.line() + 4;
    assert!(
        lines.contains(&line),
        "the panic names line {line}, the caller is at {}: {message}",
        here.line()
    );
}

fn listen() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let usual = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if CAUGHT.with_borrow(Option::is_none) {
                return usual(info);
            }
            let payload = info.payload();
            let text = payload.downcast_ref::<String>().map(String::as_str);
            let message = text.or(payload.downcast_ref::<&str>().copied()).unwrap_or_default().to_owned();
            let at = info.location().expect("a panic has a location");
            CAUGHT.set(Some((message, at.file().to_owned(), at.line())));
        }));
    });
}

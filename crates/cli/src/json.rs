use serde_json::value::RawValue;

/// JSON of a file as it stands there. It is not taken apart: that would take a hundred times its length in memory.
pub(crate) type Json = Box<RawValue>;

/// `text`, if it is JSON; otherwise a complaint about `what`.
pub(crate) fn json(what: &str, text: &str) -> Result<Json, String> {
    // Between two values a tab is a space, and inside of a string it cannot stand; so it need not be escaped.
    let text = text.replace(['\t', '\r', '\n'], " ");
    RawValue::from_string(text).map_err(|error| format!("{what}: {error}"))
}

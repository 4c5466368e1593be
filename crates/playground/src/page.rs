//! The page: one file that needs nothing beside it.

use std::io::Write;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;

const PAGE: &str = include_str!("../page/page.html");
const STYLE: &str = include_str!("../page/page.css");
const SCRIPT: &str = concat!(
    "'use strict';\n",
    include_str!("../page/program.js"),
    include_str!("../page/draw.js"),
    include_str!("../page/rules.js"),
    include_str!("../page/landscape.js"),
    include_str!("../page/learning.js"),
    include_str!("../page/pad.js"),
    include_str!("../page/page.js"),
);

/// The page around this crate as WebAssembly, compressed inside it.
pub fn page(program: &[u8]) -> String {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    let program = gzip.write_all(program).and_then(|()| gzip.finish()).expect("a vector takes all bytes");
    let program = BASE64_STANDARD.encode(program);
    let style = [wengert_lab::FIGURE_STYLE, STYLE].concat();
    wengert_lab::fill(PAGE, &[("style", &style), ("script", SCRIPT), ("program", &program)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_needs_no_other_file() {
        let page = page(b"program");
        for link in ["src=", "href=\"http", "@import", "url(", "fetch(", "{{", "import("] {
            assert!(!page.contains(link), "{link}");
        }
    }
}

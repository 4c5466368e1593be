//! Grades ten RMSProps with one thing wrong each: the missing root, ε in the wrong place, v updated after its use, a
//! state that tensors share, and six more. It should print for each which laws it breaks, the first with the smallest
//! failing case of every law, and end with the right rule, of which every law holds.
//!
//! ```text
//! cargo run -p wengert-lab --example grade
//! ```

use std::sync::Arc;

use wengert_lab::grade_as;
use wengert_lab::wrong::{Bug, Wrong, cases};
use wengert_optim::RmsProp;

fn main() {
    for (number, (bug, hyper, law)) in cases().into_iter().enumerate() {
        let grade = grade_as(Wrong { hyper, bug, shared: Arc::default() }, hyper);
        if number == 0 {
            println!("{bug:?}, with the cases:\n{grade}");
        }
        println!("{bug:?} is caught by {}", grade.failed().join(", "));
        assert!(grade.failed().contains(&law), "{law} should have caught it");
    }
    let right = RmsProp::default();
    let hand_written = Wrong { hyper: right, bug: Bug::None, shared: Arc::default() };
    println!("\nWithout a bug: {}{}", grade_as(hand_written, right), grade_as(right, right));
}

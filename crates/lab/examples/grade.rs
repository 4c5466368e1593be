//! Grades rules with one thing wrong each: a missing root, ε in the wrong place, v updated after its use, a state that
//! tensors share, and many more. It should print for each what is wrong with it, the first with the smallest failing
//! case of every law, and end with a right rule, of which every law holds.
//!
//! ```text
//! cargo run -p wengert-lab --example grade
//! ```

use wengert_lab::grade_port;
use wengert_lab::wrong::catalogue;
use wengert_optim::RmsProp;

fn main() {
    for (number, wrong) in catalogue().into_iter().enumerate() {
        let grade = (wrong.grade)();
        if number == 0 {
            println!("{}, with the cases:\n{grade}", wrong.name);
        }
        println!("{:45} {} ({})", wrong.name, grade.mistakes.join(", "), grade.failed().join(", "));
        assert!(!grade.passed(), "nothing was found");
    }
    let right = grade_port(|meant| meant, RmsProp::default());
    println!("\nWithout a mistake: {right}");
    assert!(right.passed());
}

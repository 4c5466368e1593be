//! Where shapes do not fit, the panic names the op and the shapes, and points at the caller's line.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use ndarray::{Array1, Array2, aview1};
use wengert_autodiff::{Tape, Tensor, Var};

struct Mistake {
    line: u32,
    /// What the message must contain.
    words: &'static [&'static str],
    make: for<'t> fn(&'t Tape<f64>) -> Var<'t, f64>,
}

/// The mistake must be on the line of the macro's name, since that is the line it is looked for.
macro_rules! mistake {
    ($words:expr, $make:expr) => {
        Mistake { line: line!(), words: &$words, make: $make }
    };
}

thread_local! {
    static LAST_PANIC: RefCell<Option<(String, u32)>> = const { RefCell::new(None) };
}

fn v<'t>(tape: &'t Tape<f64>, shape: &[usize]) -> Var<'t, f64> {
    tape.variable(Tensor::zeros(shape))
}

#[rustfmt::skip]
fn mistakes() -> Vec<Mistake> {
    vec![
        mistake!(["`add`", "[2, 3]", "[4]"], |t| v(t, &[2, 3]) + v(t, &[4])),
        mistake!(["`sub`", "[2, 3]", "[4]"], |t| v(t, &[2, 3]) - v(t, &[4])),
        mistake!(["`mul`", "[2, 3]", "[4]"], |t| v(t, &[2, 3]) * v(t, &[4])),
        mistake!(["`div`", "[2, 3]", "[2, 2]"], |t| v(t, &[2, 3]) / v(t, &[2, 2])),
        mistake!(["`maximum`", "[2, 3]", "[0]"], |t| v(t, &[2, 3]).maximum(v(t, &[0]))),
        mistake!(["`minimum`", "[2, 3]", "[4]"], |t| v(t, &[2, 3]).minimum(v(t, &[4]))),
        mistake!(["`select`", "[2, 3]", "[4]"], |t| Var::select(aview1(&[true]), v(t, &[2, 3]), v(t, &[4]))),
        mistake!(["`select`", "[2, 3]", "[2]"], |t| Var::select(aview1(&[true, false]), v(t, &[2, 3]), v(t, &[3]))),
        mistake!(["`clamp`", "1", "-1"], |t| v(t, &[2]).clamp(1.0, -1.0)),
        mistake!(["`matmul`", "[2, 3]", "[4, 5]"], |t| v(t, &[2, 3]).matmul(v(t, &[4, 5]))),
        mistake!(["`matmul`", "[3]", "[3, 5]"], |t| v(t, &[3]).matmul(v(t, &[3, 5]))),
        mistake!(["`matmul`", "[2, 4, 3]", "[5, 3, 4]"], |t| v(t, &[2, 4, 3]).matmul(v(t, &[5, 3, 4]))),
        mistake!(["`matmul`", "[1, 1, 2, 2]", "[2, 2]"], |t| v(t, &[1, 1, 2, 2]).matmul(v(t, &[2, 2]))),
        mistake!(["`linear`", "[2, 3]", "[5, 4]"], |t| v(t, &[2, 3]).linear(v(t, &[5, 4]), None)),
        mistake!(["`linear`", "[]", "[5, 4]"], |t| v(t, &[]).linear(v(t, &[5, 4]), None)),
        mistake!(["`linear`", "[4]", "[5, 3]"], |t| v(t, &[2, 3]).linear(v(t, &[5, 3]), Some(v(t, &[4])))),
        mistake!(["`sum`", "axis 2", "[2, 3]"], |t| v(t, &[2, 3]).sum_axis(&[2], false)),
        mistake!(["`sum`", "axis 1", "twice", "[2, 3]"], |t| v(t, &[2, 3]).sum_axis(&[1, -1], false)),
        mistake!(["`mean`", "[0, 3]", "no elements"], |t| v(t, &[0, 3]).mean()),
        mistake!(["`mean`", "axis -3", "[2, 3]"], |t| v(t, &[2, 3]).mean_axis(&[-3], false)),
        mistake!(["`mean`", "[0, 3]", "no elements"], |t| v(t, &[0, 3]).mean_axis(&[0], false)),
        mistake!(["`var`", "[1]", "ddof = 1"], |t| v(t, &[1]).var(1)),
        mistake!(["`var`", "[2, 0]", "ddof = 0"], |t| v(t, &[2, 0]).var_axis(&[1], 0, true)),
        mistake!(["`max`", "[0]", "no elements"], |t| v(t, &[0]).max()),
        mistake!(["`max`", "axis 1", "[3]"], |t| v(t, &[3]).max_axis(&[1], true)),
        mistake!(["`min`", "[0]", "no elements"], |t| v(t, &[0]).min()),
        mistake!(["`min`", "[3, 0]", "no elements"], |t| v(t, &[3, 0]).min_axis(&[1], true)),
        mistake!(["`reshape`", "[2, 3]", "[5]"], |t| v(t, &[2, 3]).reshape(&[5])),
        mistake!(["`t`", "[2, 3, 4]"], |t| v(t, &[2, 3, 4]).t()),
        mistake!(["`transpose`", "axis 2", "[2, 3]"], |t| v(t, &[2, 3]).transpose(0, 2)),
        mistake!(["`permute`", "[1]", "[2, 3]"], |t| v(t, &[2, 3]).permute(&[1])),
        mistake!(["`permute`", "twice", "[2, 3]"], |t| v(t, &[2, 3]).permute(&[1, 1])),
        mistake!(["`permute`", "axis 2", "[2, 3]"], |t| v(t, &[2, 3]).permute(&[0, 2])),
        mistake!(["`broadcast_to`", "[2, 3]", "[4]"], |t| v(t, &[2, 3]).broadcast_to(&[4])),
        mistake!(["`broadcast_to`", "[2, 3]", "[1, 3]"], |t| v(t, &[2, 3]).broadcast_to(&[1, 3])),
        mistake!(["`slice`", "1..4", "axis 1", "[2, 3]"], |t| v(t, &[2, 3]).slice(1, 1..4)),
        mistake!(["`slice`", "axis 2", "[2, 3]"], |t| v(t, &[2, 3]).slice(2, 0..1)),
        mistake!(["`concat`", "[2, 3]", "[2, 4]"], |t| Var::concat(&[v(t, &[2, 3]), v(t, &[2, 4])], 0)),
        mistake!(["`concat`", "[2, 3]", "[3]"], |t| Var::concat(&[v(t, &[2, 3]), v(t, &[3])], 0)),
        mistake!(["`concat`", "axis 2", "[2, 3]"], |t| Var::concat(&[v(t, &[2, 3])], 2)),
        mistake!(["`concat`", "at least one"], |_| Var::concat(&[], 0)),
        mistake!(["`stack`", "[2, 3]", "[3, 2]"], |t| Var::stack(&[v(t, &[2, 3]), v(t, &[3, 2])], 0)),
        mistake!(["`stack`", "axis 3", "[2, 3, 1]"], |t| Var::stack(&[v(t, &[2, 3])], 3)),
        mistake!(["`stack`", "at least one"], |_| Var::stack(&[], 0)),
        mistake!(["`index_select`", "index 4", "4 rows", "[4, 3]"], |t| v(t, &[4, 3]).index_select(0, &[1, 4])),
        mistake!(["`index_select`", "axis 2", "[4, 3]"], |t| v(t, &[4, 3]).index_select(2, &[])),
        mistake!(["`gather`", "[4]", "[2, 3]"], |t| v(t, &[2, 3]).gather(1, Array1::zeros(4).view())),
        mistake!(["`gather`", "[3, 1]", "[2, 3]"], |t| v(t, &[2, 3]).gather(1, Array2::zeros((3, 1)).view())),
        mistake!(["`gather`", "index 3", "[2, 3]"], |t| v(t, &[2, 3]).gather(1, Array2::from_elem((2, 1), 3).view())),
        mistake!(["`gather`", "axis 2", "[2, 3]"], |t| v(t, &[2, 3]).gather(2, Array2::zeros((2, 1)).view())),
    ]
}

#[test]
fn panics_name_the_op_and_the_shapes_at_the_callers_line() {
    std::panic::set_hook(Box::new(|info| {
        let location = info.location().map(|at| (at.file().to_owned(), at.line()));
        LAST_PANIC.set(location);
    }));
    let problems: Vec<String> = mistakes().into_iter().filter_map(|mistake| problem(&mistake)).collect();
    drop(std::panic::take_hook());
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

fn problem(mistake: &Mistake) -> Option<String> {
    let Mistake { line, words, make } = mistake;
    let tape = Tape::new();
    let Err(payload) = catch_unwind(AssertUnwindSafe(|| _ = make(&tape))) else {
        return Some(format!("line {line}: no panic"));
    };
    let message = payload
        .downcast_ref::<String>()
        .cloned()
        .or_else(|| payload.downcast_ref::<&str>().map(|text| (*text).to_owned()))
        .unwrap_or_default();
    if let Some(missing) = words.iter().find(|word| !message.contains(**word)) {
        return Some(format!("line {line}: no {missing:?} in {message:?}"));
    }
    let location = LAST_PANIC.take();
    (location != Some((file!().to_owned(), *line))).then(|| format!("line {line}: reported at {location:?}"))
}

#[test]
fn operands_of_two_tapes_are_refused() {
    let (one, two) = (Tape::<f64>::new(), Tape::new());
    let meet: [fn(Var<'_, f64>, Var<'_, f64>); 6] = [
        |a, b| _ = a + b,
        |a, b| _ = a.matmul(b),
        |a, b| _ = a.linear(b, None),
        |a, b| _ = Var::concat(&[a, b], 0),
        |a, b| _ = Var::stack(&[a, b], 0),
        |a, b| _ = Var::select(aview1(&[true]), a, b),
    ];
    for (i, meet) in meet.into_iter().enumerate() {
        let (a, b) = (v(&one, &[1, 1]), v(&two, &[1, 1]));
        let payload = catch_unwind(AssertUnwindSafe(|| meet(a, b))).expect_err(&format!("number {i}"));
        assert!(payload.downcast_ref::<String>().unwrap().contains("two different tapes"), "number {i}");
    }
}

//! The listing, the drawing and the accounting of a tape.

use ndarray::{arr1, arr2};
use wengert_autodiff::{Param, Tape, Tensor, module};

struct Model {
    weight: Param,
    bias: Param,
}

module!(Model { weight, bias });

fn model() -> Model {
    Model { weight: arr2(&[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]).into(), bias: arr1(&[0.0, 1.0]).into() }
}

fn record(tape: &Tape, model: &Model) {
    let x = tape.constant(Tensor::ones(vec![4, 3]));
    let y = x.linear(tape.param(&model.weight), Some(tape.param(&model.bias)));
    _ = y.cross_entropy(&[0, 1, 1, 0]);
}

const LISTING: &str = "\
%0 = constant  [4, 3]
%1 = param weight  [2, 3]
%2 = param bias  [2]
%3 = linear(%0, %1, %2)  [4, 2]
%4 = cross_entropy(%3)  [4]
%5 = mean(%4)  []
";

#[test]
fn the_listing_names_parameters_if_it_knows_them() {
    let (model, tape) = (model(), Tape::new());
    record(&tape, &model);
    assert_eq!(tape.dump(&model), LISTING);
    assert_eq!(tape.dump(&()), LISTING.replace("param weight", "param").replace("param bias", "param"));
}

#[test]
fn the_listing_says_where_the_inputs_went() {
    let model = model();
    let tape = Tape::new();
    let loss = (tape.param(&model.bias).square() * 2.0).sum();
    _ = loss.backward();
    assert_eq!(
        tape.dump(&model),
        "\
%0 = param bias  (given back)
%1 = square  [2]
%2 = mul  [2]
%3 = sum  []
(no inputs: backward() consumed the edges)
"
    );

    let tape = Tape::inference();
    _ = tape.constant(arr1(&[1.0, 2.0])).tanh();
    assert_eq!(
        tape.dump(&model),
        "%0 = constant  [2]\n%1 = tanh  [2]\n(no inputs: an inference tape keeps no edges)\n"
    );
}

#[test]
fn the_drawing_dashes_what_passes_no_gradient() {
    let (model, tape) = (model(), Tape::new());
    record(&tape, &model);
    let dot = tape.to_dot(&model);
    let lines: Vec<_> = dot.lines().collect();
    assert_eq!((lines[0], lines.last()), ("digraph tape {", Some(&"}")));
    for line in [
        r#"  n1 [label="param weight\n[2, 3]", shape=box];"#,
        r#"  n3 [label="linear\n[4, 2]", shape=ellipse];"#,
        "  n0 -> n3 [style=dashed];",
        "  n1 -> n3;",
        "  n2 -> n3;",
        "  n3 -> n4;",
        "  n4 -> n5;",
    ] {
        assert!(lines.contains(&line), "{line} is not in\n{dot}");
    }
    assert_eq!(lines.len(), 2 + 6 + 5, "two braces, six nodes, five arrows");
}

#[test]
fn a_user_s_op_cannot_break_the_drawing() {
    let tape = Tape::<f32>::new();
    _ = tape.record(r#"my "op" \ 2"#, Tensor::zeros(vec![1]), []);
    assert!(tape.to_dot(&()).contains(r#"label="my \"op\" \\ 2\n[1]""#));
}

#[test]
fn shared_arrays_count_once() {
    let tape = Tape::new();
    let x = tape.variable(Tensor::<f32>::zeros(vec![4, 6]));
    assert_eq!(tape.stats().bytes, 96);
    let row_of = x.reshape(&[24]); // shares x's array
    assert_eq!(tape.stats().bytes, 96);
    let y = row_of.exp();
    assert_eq!(tape.stats().bytes, 192);
    _ = tape.variable(y.value().slice_move(ndarray::s![3..7])); // part of y
    _ = tape.constant(x.value().reversed_axes());
    _ = tape.constant(x.value().slice_move(ndarray::s![..;-1, ..]));
    let stats = tape.stats();
    assert_eq!((stats.nodes, stats.edges, stats.bytes), (6, 2, 192));
    _ = tape.constant(Tensor::zeros(vec![0, 5]));
    _ = tape.constant(Tensor::zeros(vec![]));
    let stats = tape.stats();
    assert_eq!((stats.nodes, stats.bytes), (8, 196));
    assert_eq!(
        stats.to_string(),
        format!("8 nodes, 2 edges with a gradient, 196 bytes of values, {} reserved", stats.reserved)
    );
}

#[test]
fn doubles_are_twice_as_large_and_reset_empties() {
    let mut tape = Tape::<f64>::new();
    assert_eq!((tape.stats().nodes, tape.stats().bytes), (0, 0));
    _ = tape.variable(Tensor::zeros(vec![4, 6])).tanh();
    assert_eq!(tape.stats().bytes, 384);
    let reserved = tape.stats().reserved;
    tape.reset();
    let stats = tape.stats();
    assert_eq!((stats.nodes, stats.edges, stats.bytes), (0, 0, 0));
    assert_eq!(stats.reserved, reserved, "the lists keep their memory");
}

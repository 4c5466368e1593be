//! What can hold parameters, and the names it gives them: in both walks, in one order.

use std::collections::{BTreeMap, HashMap};

use wengert_autodiff::{Module, ModulePath, Param, Real, module};

fn param<F: Real>(x: f64) -> Param<F> {
    Param::new(F::from_f64(x))
}

/// The names in the order of the walk, the same to read and to change.
fn names<F: Real>(mut model: impl Module<F>) -> Vec<String> {
    let (mut seen, mut changed) = (Vec::new(), Vec::new());
    model.visit(&mut ModulePath::default(), &mut |name, _| seen.push(name.to_owned()));
    model.visit_mut(&mut ModulePath::default(), &mut |name, leaf| {
        leaf.into_value().fill(F::ONE);
        changed.push(name.to_owned());
    });
    assert_eq!(seen, changed);
    assert!(model.state_dict().values().all(|value| value.iter().all(|&x| x == F::ONE)));
    seen
}

struct Scale(Param, f32);
module!(Scale { 0 });

struct Twice<M> {
    first: M,
    second: M,
}
module!(Twice<M: Module> { first, second });
module!(Twice<M: Module>: f64 { first, second });

struct Both<F: Real, A, B> {
    a: A,
    b: B,
    scale: Param<F>,
}
module!(Both<F, A: Module, B: Module> { a, b, scale });

enum Choice<F: Real = f32> {
    One(Param<F>),
    Named { weight: Param<F>, ignored: usize },
    Nothing,
}
module!(enum Choice<F> { One(param), Named { weight }, Nothing });

enum Double {
    One(Param<f64>),
}
module!(enum Double: f64 { One(param) });

enum Single {
    List(Vec<Scale>),
}
module!(
    enum Single {
        List(list),
    }
);

#[test]
fn names_are_those_of_fields_keys_and_places() {
    let scale = |x| Scale(Param::new(x), x);
    assert_eq!(names::<f32>(scale(2.0)), ["0"]);
    assert_eq!(scale(2.0).1, 2.0);
    assert_eq!(names::<f32>([scale(2.0), scale(3.0)]), ["0.0", "1.0"]);
    assert_eq!(names::<f32>((scale(2.0), param::<f32>(1.0), ())), ["0.0", "1"]);
    let keys = ["right", "left", "2", "10"];
    let sorted = ["10", "2", "left", "right"];
    assert_eq!(names::<f32>(BTreeMap::from(keys.map(|key| (key.to_owned(), param::<f32>(0.0))))), sorted);
    assert_eq!(names::<f32>(HashMap::from(keys.map(|key| (key.to_owned(), param::<f32>(0.0))))), sorted);
    assert_eq!(names::<f64>(Twice { first: param::<f64>(0.0), second: param(1.0) }), ["first", "second"]);
    let twice = |_| Twice { first: scale(0.0), second: scale(1.0) };
    assert_eq!(names::<f32>([0, 1].map(twice)), ["0.first.0", "0.second.0", "1.first.0", "1.second.0"]);
    let both = Both { a: param::<f64>(0.0), b: [param::<f64>(0.0)], scale: param(0.0) };
    assert_eq!(names::<f64>(both), ["a", "b.0", "scale"]);
}

#[test]
fn an_enum_shows_what_its_variant_has() {
    let named = Choice::Named { weight: param(0.0), ignored: 3 };
    assert!(matches!(named, Choice::Named { ignored: 3, .. }));
    let list: Vec<Choice> = vec![Choice::One(param(0.0)), named, Choice::Nothing];
    assert_eq!(names::<f32>(list), ["0", "1.weight"]);
    assert_eq!(names::<f64>(BTreeMap::from([("x".to_owned(), Double::One(param(0.0)))])), ["x"]);
    assert_eq!(names::<f32>(Single::List(vec![Scale(param(0.0), 0.0)])), ["0.0"]);
}

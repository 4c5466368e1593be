//! A run that goes on in the other precision and under other names, from its file, and comes back.

use wengert_autodiff::{Gradients, Module, Param, module};
use wengert_optim::checkpoint::{self, Element, Loaded, Weights};
use wengert_optim::{Field, Optimizer, Rule, State, for_every_rule};

use crate::row::Row;
use crate::{STEPS, gradients, start};

struct Wide {
    first: Param<f64>,
    second: Param<f64>,
}

module!(Wide: f64 { first, second });

/// Its parameters are `0` and `1`.
type Narrow = [Param<f32>; 2];

fn narrow() -> Narrow {
    [Param::new(start::<f32>()), Param::new(start::<f32>())]
}

fn to_wide(name: &str) -> String {
    name.replace('0', "first").replace('1', "second")
}

fn to_narrow(name: &str) -> String {
    name.replace("first", "0").replace("second", "1")
}

fn train<R: Rule<f32>>(model: &mut Narrow, opt: &mut Optimizer<R>, step: usize) {
    let mut grads = Gradients::default();
    for (i, param) in model.iter().enumerate() {
        grads.set(param, gradients(step + i));
    }
    opt.step(model, &grads);
}

/// Every number of the model and of the optimizer's state, by its name.
fn numbers<F: Element, R: Rule<F>>(
    model: &dyn Module<F>,
    opt: &Optimizer<R, F>,
    rename: fn(&str) -> String,
) -> Vec<(String, Vec<f64>)> {
    let weights = model.state_dict().into_iter();
    let weights = weights.map(|(name, x)| (rename(&name), x.iter().map(|x| x.as_f64()).collect()));
    let state = opt.states().flat_map(|(param, state)| {
        let fields = state.fields().into_iter().map(move |(field, value)| {
            let numbers = match value {
                Field::Tensor(tensor) => tensor.iter().map(|x| x.as_f64()).collect(),
                Field::Steps(count) | Field::Count(count) => vec![count as f64],
                Field::Number(number) => vec![number],
                _ => panic!("{field} is of a kind that this test does not know"),
            };
            (format!("{}/{field}", rename(param)), numbers)
        });
        fields.collect::<Vec<_>>()
    });
    weights.chain(state).collect()
}

#[test]
fn from_one_precision_to_the_other_and_back_nothing_is_lost() {
    fn check<R: Row>() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("run.wgt");
        let (rule, _) = R::remembering();
        let mut model = narrow();
        let mut opt: Optimizer<R> = Optimizer::new(rule).with_group("1", rule);
        (0..STEPS).for_each(|step| train(&mut model, &mut opt, step));
        checkpoint::save(&path, &model, &opt, &7_u8).unwrap();

        let mut wide = Wide { first: Param::new([0.0; 6]), second: Param::new([0.0; 6]) };
        for param in [&mut wide.first, &mut wide.second] {
            *param.value_mut() = start();
        }
        let mut wide_opt: Optimizer<R, f64> = Optimizer::new(rule).with_group("second", rule);
        let weights = Weights::new().rename(to_wide).cast();
        let Loaded { extra, report } = weights.load_run(&path, &mut wide, &mut wide_opt).unwrap();
        assert_eq!((extra, report.is_complete()), (7_u8, true), "{rule:?}");
        assert_eq!(wide_opt.steps(), STEPS as u64);
        // Every f32 is an f64.
        assert_eq!(numbers(&wide, &wide_opt, str::to_owned), numbers(&model, &opt, to_wide), "{rule:?}");

        checkpoint::save(&path, &wide, &wide_opt, &()).unwrap();
        let (mut back, mut back_opt) = (narrow(), Optimizer::new(rule).with_group("1", rule));
        let weights = Weights::new().rename(to_narrow).cast();
        let _: Loaded<()> = weights.load_run(&path, &mut back, &mut back_opt).unwrap();
        train(&mut model, &mut opt, STEPS);
        train(&mut back, &mut back_opt, STEPS);
        let of = |model, opt| numbers::<f32, R>(model, opt, str::to_owned);
        assert_eq!(of(&back, &back_opt), of(&model, &opt), "{rule:?}");
    }
    for_every_rule!(check);
}

//! Losses of a classifier, over any number of axes.

use wengert_autodiff::{Real, Var};

use crate::graph::{Call, Done, How, Result, composed, direct, several};

pub fn run<'t, F: Real>(call: &Call<'_, 't, F>) -> Option<Result<Done<'t, F>>> {
    match call.node.op.as_str() {
        "SoftmaxCrossEntropyLoss" => Some(loss(call, true)),
        "NegativeLogLikelihoodLoss" => Some(loss(call, false)),
        _ => None,
    }
}

fn loss<'t, F: Real>(call: &Call<'_, 't, F>, from_logits: bool) -> Result<Done<'t, F>> {
    let x = call.x(0);
    let ignored = call.attribute("ignore_index").map(|label| label.as_i64().expect("a label"));
    let labels = call.integers(1).expect("labels");
    let weights = call.input(2);
    let reduction = call.text("reduction", "mean");
    let plain = x.shape().len() == 2 && !call.wants(1);
    let as_places = |labels: &[i64]| labels.iter().map(|&label| label as usize).collect::<Vec<_>>();
    match (plain && from_logits, weights, ignored, reduction) {
        (true, None, None, "mean") => return direct(x.cross_entropy(&as_places(&labels))),
        (true, None, None, "none") => return direct(x.cross_entropy_each(&as_places(&labels))),
        (true, None, Some(ignored), "mean") => {
            return direct(x.cross_entropy_ignoring(&as_places(&labels), ignored as usize));
        }
        (true, Some(weights), None, "mean") => {
            let weights: Vec<_> = weights.value().iter().map(|weight| weight.as_f64()).collect();
            return direct(x.cross_entropy_weighted(&as_places(&labels), &weights));
        }
        _ if plain && !from_logits && weights.is_none() && ignored.is_none() => {
            let labels = as_places(&labels);
            match reduction {
                "mean" => return direct(x.nll(&labels)),
                "none" => return direct(x.nll_each(&labels)),
                _ => {}
            }
        }
        _ => {}
    }
    weighted(call, from_logits, &labels, ignored)
}

/// Each place of the other axes is a row; what is ignored has weight 0.
fn weighted<'t, F: Real>(
    call: &Call<'_, 't, F>,
    from_logits: bool,
    labels: &[i64],
    ignored: Option<i64>,
) -> Result<Done<'t, F>> {
    let (x, shape) = (call.x(0), call.x(0).shape());
    let classes = shape[1];
    let mut order: Vec<_> = (0..shape.len() as isize).filter(|&axis| axis != 1).collect();
    order.push(1);
    let rows = x.permute(&order).reshape(&[labels.len(), classes]);
    let known: Vec<_> =
        labels.iter().map(|&label| if Some(label) == ignored { 0 } else { label as usize }).collect();
    let each = if from_logits { rows.cross_entropy_each(&known) } else { rows.nll_each(&known) };
    let class_weights = call.input(2).map(Var::value);
    let weight = |(&label, &known): (&i64, &usize)| {
        if Some(label) == ignored {
            F::ZERO
        } else {
            class_weights.as_ref().map_or(F::ONE, |weights| weights[[known]])
        }
    };
    let weights: Vec<_> = labels.iter().zip(&known).map(weight).collect();
    let y = match call.text("reduction", "mean") {
        "mean" => each.weighted_mean(weights),
        "sum" => (each * call.tape.constant(weights)).sum(),
        _ => (each * call.tape.constant(weights)).reshape(&call.x(1).shape()),
    };
    if call.wants(1) {
        return several(How::Composed, vec![y, x.log_softmax(1)]);
    }
    composed(y)
}

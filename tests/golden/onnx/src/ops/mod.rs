//! Which of Wengert's ops each of ONNX's is.

mod attention;
mod elementwise;
mod indexing;
mod layers;
mod loss;
mod recurrent;
mod reduction;
mod reshaping;
mod streams;
mod window;

use wengert_autodiff::Real;

use crate::graph::{Call, Done, Result, missing};
use crate::value::Kind;

/// Runs a node.
pub fn run<'t, F: Real>(call: &Call<'_, 't, F>) -> Result<Done<'t, F>> {
    let families = [
        elementwise::unary,
        elementwise::composed_unary,
        elementwise::binary,
        elementwise::logic,
        elementwise::typed,
        reduction::run,
        reshaping::run,
        indexing::run,
        window::run,
        layers::run,
        loss::run,
        recurrent::run,
        attention::run,
        streams::run,
    ];
    for family in families {
        if let Some(done) = family(call) {
            return done;
        }
    }
    missing(why_missing(&call.node.op))
}

/// What the numbers of an output stand for.
pub fn kind_of_output<F: Real>(call: &Call<'_, '_, F>, index: usize) -> Kind {
    match call.node.op.as_str() {
        "Equal" | "Greater" | "GreaterOrEqual" | "Less" | "LessOrEqual" | "And" | "Or" | "Xor" | "Not"
        | "IsNaN" | "IsInf" => Kind::Truth,
        "Shape" | "Size" | "ArgMax" | "ArgMin" => Kind::Integer,
        "TopK" | "MaxPool" | "Dropout" if index > 0 => Kind::Integer,
        "Cast" => elementwise::cast_target(call),
        "CastLike" | "Where" => call.kind(1),
        "Constant" | "ConstantOfShape" => call.constant_kind(),
        "OneHot" => call.kind(2),
        _ => call.kind(0),
    }
}

/// The reason for an op that has no line here.
fn why_missing(op: &str) -> &'static str {
    match op {
        "ImageDecoder" | "NonMaxSuppression" | "RoiAlign" | "CenterCropPad" => "images and boxes",
        "If" | "Loop" | "Scan" | "SequenceMap" => "control flow: Rust has it",
        "BitShift" | "BitwiseAnd" | "BitwiseOr" | "BitwiseXor" | "BitwiseNot" | "BitCast" => {
            "bits of whole numbers"
        }
        "QuantizeLinear"
        | "DequantizeLinear"
        | "DynamicQuantizeLinear"
        | "QLinearMatMul"
        | "QLinearConv"
        | "ConvInteger"
        | "MatMulInteger" => "quantisation",
        "DFT" | "STFT" | "MelWeightMatrix" | "BlackmanWindow" | "HammingWindow" | "HannWindow" => {
            "signals and spectra"
        }
        "TfIdfVectorizer" | "StringSplit" | "StringNormalizer" | "StringConcat" | "RegexFullMatch" => {
            "strings"
        }
        "LabelEncoder" | "TreeEnsemble" | "ArrayFeatureExtractor" | "Binarizer" => {
            "classical machine learning"
        }
        _ if op.starts_with("Sequence") || op.starts_with("Optional") || op == "SplitToSequence" => {
            "sequences and optional values"
        }
        "Shape" | "Size" | "Constant" | "ConstantOfShape" | "Range" | "EyeLike" | "NonZero" | "Unique" => {
            "made by ndarray, given to the tape"
        }
        "RandomUniformLike" | "Bernoulli" => "random numbers: a generator's, not the tape's",
        "Momentum" | "Adagrad" | "Adam" => {
            "optimizers: they are rules, not ops; tests/golden/optim compares them"
        }
        _ => "no such op",
    }
}

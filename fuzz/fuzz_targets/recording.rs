//! The lab's recordings of a run: an error that names the line, or gradients that can be replayed and recorded again.
#![no_main]

use std::collections::BTreeMap;

use libfuzzer_sys::fuzz_target;
use wengert_autodiff::{Gradients, Module, ModulePath, Param, Visitor, VisitorMut};
use wengert_fuzz::{assert_harmless, file, within_memory};
use wengert_lab::{Recorder, Recording};
use wengert_optim::{Optimizer, RmsProp};

fuzz_target!(|bytes: &[u8]| {
    let path = file("a", bytes);
    within_memory(bytes.len(), || {
        let _ = Recording::<f64>::read(&path);
        let recording = match Recording::<f32>::read(&path) {
            Ok(recording) => recording,
            Err(error) => return assert_harmless(&error.to_string()),
        };
        let end = recording.replay(&mut Optimizer::new(RmsProp::default()));
        assert!(end.iter().all(|(name, value)| recording.start[name].shape() == value.shape()));
        let bytes = recorded(&recording);
        let again = Recording::read(file("again", &bytes)).expect("what was recorded can be read");
        assert!(recorded(&again) == bytes, "{recording:?}");
    });
});

struct Params(BTreeMap<String, Param>);

impl Module for Params {
    fn visit<'a>(&'a self, path: &mut ModulePath, visitor: &mut Visitor<'_, 'a, f32>) {
        self.0.iter().for_each(|(name, param)| path.enter(name, |path| param.visit(path, visitor)));
    }

    fn visit_mut<'a>(&'a mut self, path: &mut ModulePath, visitor: &mut VisitorMut<'_, 'a, f32>) {
        self.0.iter_mut().for_each(|(name, param)| path.enter(name, |path| param.visit_mut(path, visitor)));
    }
}

fn recorded(recording: &Recording) -> Vec<u8> {
    let model = Params(
        recording.start.iter().map(|(name, value)| (name.clone(), Param::new(value.clone()))).collect(),
    );
    let mut recorder = Recorder::new(Vec::new(), &model).expect("a vector takes everything");
    for step in &recording.steps {
        let mut grads = Gradients::default();
        step.iter().for_each(|(name, grad)| grads.set(&model.0[name], grad.clone()));
        recorder.step(&model, &grads).expect("a vector takes everything");
    }
    recorder.finish().expect("a vector takes everything")
}

"""What onnxruntime makes of the voice detector of the package `silero-vad`, for the program in `onnx/`: see README.md.

    .venv/bin/pip install -r tests/golden/requirements-onnx.txt
    .venv/bin/pip install --no-deps silero-vad==6.2.3    # its files only: they need neither torch nor torchaudio
    .venv/bin/python tests/golden/silero.py target/silero

The package has the network as a graph and its weights as safetensors, but those are of another training than the
graph's. So onnxruntime runs the graph twice, with its own weights and with the safetensors', and each run gets a
directory: `weights.safetensors` with the safetensors' names, and `run.safetensors` with the frames of a generated
signal, [frames, 576], the probability of speech in each, and the last state of the LSTM, [2, 128]. The signal is 5 s of
silence, noise, vowels from a model of the voice, loud and soft, and a tone.
"""

import importlib.util
import pathlib
import sys

import numpy as np
import onnx
import onnxruntime
from onnx import numpy_helper
from safetensors.numpy import load_file, save_file

RATE = 16000
FRAME, CONTEXT = 512, 64
# Three formants each: a, i, u, e, o.
VOWELS = [(730, 1090, 2440), (270, 2290, 3010), (300, 870, 2240), (530, 1840, 2480), (570, 840, 2410)]


def resonance(x, frequency, width):
    """A filter of two poles."""
    radius = np.exp(-np.pi * width / RATE)
    a, b = 2 * radius * np.cos(2 * np.pi * frequency / RATE), -radius * radius
    y = np.zeros(len(x) + 2)
    for i, pulse in enumerate(x):
        y[i + 2] = (1 - a - b) * pulse + a * y[i + 1] + b * y[i]
    return y[2:]


def vowels(seconds):
    """Syllables of 0.18 s: pulses of a voice whose pitch moves around 120 Hz, in the resonances of a vowel."""
    time = np.arange(int(RATE * seconds)) / RATE
    periods = np.cumsum(120 * (1 + 0.15 * np.sin(2 * np.pi * 2.5 * time))) / RATE
    pulses = np.diff(np.floor(periods), prepend=0)
    length = int(0.18 * RATE)
    syllables = []
    for index, start in enumerate(range(0, len(pulses), length)):
        y = pulses[start : start + length]
        for frequency, width in zip(VOWELS[index % len(VOWELS)], (80, 100, 120), strict=True):
            y = resonance(y, frequency, width)
        syllables.append(y * np.sqrt(np.hanning(len(y))))
    y = np.concatenate(syllables)
    return 0.3 * y / np.abs(y).max()


def signal():
    rng = np.random.default_rng(1)
    half = RATE // 2
    tone = 0.3 * np.sin(2 * np.pi * 440 * np.arange(half) / RATE)
    soft = 0.2 * vowels(1) + 0.01 * rng.normal(size=RATE)
    parts = [np.zeros(half), 0.02 * rng.normal(size=half), vowels(2), np.zeros(half), soft, tone]
    return np.concatenate(parts).astype(np.float32)


def frames(x):
    """Each with the end of the one before."""
    x = np.concatenate([np.zeros(CONTEXT, np.float32), x])
    count = (len(x) - CONTEXT) // FRAME
    return np.stack([x[i * FRAME : (i + 1) * FRAME + CONTEXT] for i in range(count)])


def initializers(model):
    """The network's weights in the graph, by their names in the package's safetensors."""
    found = {t.name.removeprefix("model."): t for t in model.graph.initializer}
    named = {"stft_conv.weight": found["stft.forward_basis_buffer"]}
    for part in ("weight", "bias"):
        for i in range(4):
            named[f"conv{i + 1}.{part}"] = found[f"encoder.{i}.reparam_conv.{part}"]
        named[f"final_conv.{part}"] = found[f"decoder.decoder.2.{part}"]
        for state in ("ih", "hh"):
            named[f"lstm_cell.{part}_{state}"] = found[f"decoder.rnn.{part}_{state}"]
    return named


def run(model, x):
    """The probability of speech in each frame, and the last state."""
    session = onnxruntime.InferenceSession(model.SerializeToString())
    state, probabilities = np.zeros((2, 1, 128), np.float32), []
    for frame in x:
        inputs = {"input": frame[None], "state": state, "sr": np.array(RATE)}
        probability, state = session.run(None, inputs)
        probabilities.append(probability[0, 0])
    assert min(probabilities) < 0.1 and max(probabilities) > 0.9, "silence, or speech, is missing"
    return {"probabilities": np.array(probabilities), "state": state[:, 0]}


def main(to):
    # Without importing the package, which would import torch.
    data = pathlib.Path(importlib.util.find_spec("silero_vad").submodule_search_locations[0]) / "data"
    model, x = onnx.load(data / "silero_vad_16k_op15.onnx"), frames(signal())
    own = {name: numpy_helper.to_array(t).copy() for name, t in initializers(model).items()}
    packaged = load_file(data / "silero_vad_16k.safetensors")
    assert own.keys() == packaged.keys()
    for which, weights in (("graph", own), ("safetensors", packaged)):
        for name, t in initializers(model).items():
            assert list(weights[name].shape) == list(t.dims), name
            t.CopyFrom(numpy_helper.from_array(weights[name], t.name))
        directory = pathlib.Path(to) / which
        directory.mkdir(parents=True, exist_ok=True)
        save_file(weights, directory / "weights.safetensors")
        save_file({"frames": x, **run(model, x)}, directory / "run.safetensors")
    print(f"{len(x)} frames in {to}")


main(*sys.argv[1:])

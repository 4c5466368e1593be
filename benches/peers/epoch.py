"""Whole epochs of the default run of examples/mnist in PyTorch and JAX; prints one JSON line per epoch.

python epoch.py --peer torch-dataloader|torch|jax --data DIR --threads 1

784-256-128-10 with batch norm and dropout 0.2, batches of 128 in random order, RMSProp (η 1e-3, ρ 0.99) under a cosine,
loss and accuracy of the training images summed on the way. `seconds` is the training, without the evaluation that gives
`test_accuracy`; JAX compiles in its first epoch. DIR holds the four IDX files, with or without .gz.
"""
import argparse
import gzip
import pathlib
import time

import common

HIDDEN = (256, 128)
DROPOUT = 0.2
BATCH = 128


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--peer", choices=["torch-dataloader", "torch", "jax"], required=True)
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--epochs", type=int, default=3)
    args = parser.parse_args()
    common.hold_to(args.threads)

    train = images(args.data, "train"), labels(args.data, "train")
    test = images(args.data, "t10k"), labels(args.data, "t10k")
    steps = args.epochs * -(-len(train[0]) // BATCH)
    make = jax_run if args.peer == "jax" else torch_run
    version, run_epoch, accuracy = make(train, steps, args)
    for epoch in range(1, args.epochs + 1):
        start = time.perf_counter()
        loss, correct = run_epoch()
        seconds = time.perf_counter() - start
        common.print_line(
            peer=args.peer,
            version=version,
            kind="epoch",
            workload="mnist",
            threads=args.threads,
            epoch=epoch,
            seconds=seconds,
            train_loss=loss / len(train[0]),
            train_accuracy=correct / len(train[0]),
            test_accuracy=accuracy(*test),
        )


def images(directory, half):
    return idx(directory, f"{half}-images?idx3-ubyte").reshape(-1, common.INPUT)


def labels(directory, half):
    return idx(directory, f"{half}-labels?idx1-ubyte")


def idx(directory, name):
    """The bytes of an IDX file: after two zeros, the type and the number of axes come their lengths, then the data."""
    import numpy as np

    path = next((path for ending in ("", ".gz") for path in directory.glob(name + ending)), None)
    if path is None:
        raise SystemExit(f"{directory}: no file {name} or {name}.gz")
    content = (gzip.open if path.suffix == ".gz" else open)(path, "rb").read()
    return np.frombuffer(content, np.uint8, offset=4 + 4 * content[3])


def torch_run(train, steps, args):
    import torch
    from torch.nn.functional import cross_entropy

    torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    model = common.torch_network(HIDDEN, True, DROPOUT)
    opt = torch.optim.RMSprop(model.parameters(), lr=1e-3, alpha=0.99)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(opt, steps)

    def tensors(pixels, labels):
        return torch.from_numpy(pixels.copy()).float() / 255, torch.from_numpy(labels.copy()).long()

    class Digits(torch.utils.data.Dataset):
        """As torchvision's MNIST with ToTensor, less the detour through PIL."""

        pixels, targets = torch.from_numpy(train[0].copy()), torch.from_numpy(train[1].copy())

        def __len__(self):
            return len(self.targets)

        def __getitem__(self, i):
            return self.pixels[i].float() / 255, int(self.targets[i])

    loader = torch.utils.data.DataLoader(Digits(), batch_size=BATCH, shuffle=True)
    x, y = tensors(*train)

    def shuffled():
        order = torch.randperm(len(x))
        for rows in order.split(BATCH):
            yield x[rows], y[rows]

    def run_epoch():
        model.train()
        total, correct = 0.0, 0
        for rows, targets in loader if args.peer == "torch-dataloader" else shuffled():
            opt.zero_grad()
            logits = model(rows)
            loss = cross_entropy(logits, targets)
            loss.backward()
            opt.step()
            schedule.step()
            total += loss.item() * len(targets)
            correct += (logits.argmax(1) == targets).sum().item()
        return total, correct

    @torch.inference_mode()
    def accuracy(pixels, labels):
        model.eval()
        rows, targets = tensors(pixels, labels)
        return (model(rows).argmax(1) == targets).float().mean().item()

    return common.version(torch), run_epoch, accuracy


def jax_run(train, steps, args):
    import functools

    import jax
    import jax.numpy as jnp
    import numpy as np
    import optax

    params, stats, forward = common.jax_network(HIDDEN, True, DROPOUT)
    opt = optax.rmsprop(optax.cosine_decay_schedule(1e-3, steps), decay=0.99, eps=1e-8, eps_in_sqrt=False)
    # The default generator: here XLA's own, "rbg", makes an epoch a third longer.
    state = params, stats, opt.init(params), jax.random.key(0)
    x = jax.device_put(train[0].astype(np.float32) / 255)
    y = jax.device_put(train[1].astype(np.int32))
    rng = np.random.default_rng(0)

    def loss_of(params, stats, rows, targets, key):
        logits, stats = forward(params, stats, rows, training=True, key=key)
        loss = optax.softmax_cross_entropy_with_integer_labels(logits, targets).mean()
        return loss, (stats, logits)

    @functools.partial(jax.jit, donate_argnums=(0, 1))
    def update(state, score, x, y, order):
        params, stats, memory, key = state
        key, use = jax.random.split(key)
        targets = y[order]
        gradient = jax.value_and_grad(loss_of, has_aux=True)
        (loss, (stats, logits)), grads = gradient(params, stats, x[order], targets, use)
        change, memory = opt.update(grads, memory)
        score = score[0] + loss * len(order), score[1] + (logits.argmax(1) == targets).sum()
        return (optax.apply_updates(params, change), stats, memory, key), score

    def run_epoch():
        nonlocal state
        score = jnp.float32(0), jnp.int32(0)
        order = rng.permutation(len(x)).astype(np.int32)
        for start in range(0, len(order), BATCH):
            state, score = update(state, score, x, y, order[start : start + BATCH])
        return float(score[0]), int(score[1])

    def accuracy(pixels, labels):
        rows = pixels.astype(np.float32) / 255
        return float((forward(state[0], state[1], rows)[0].argmax(1) == labels).mean())

    return common.version(jax), run_epoch, accuracy


if __name__ == "__main__":
    main()

// The drawing pad: with mouse, finger or keys.

const pad = { strokes: [], pen: [0.5, 0.2], down: false };
const padCanvas = document.getElementById('pad');

function openPad() {
  const at = (event) => {
    const box = padCanvas.getBoundingClientRect();
    return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
  };
  padCanvas.addEventListener('pointerdown', (event) => {
    padCanvas.setPointerCapture(event.pointerId);
    pad.strokes.push([at(event)]);
    readPad();
  });
  padCanvas.addEventListener('pointermove', (event) => {
    if (!padCanvas.hasPointerCapture(event.pointerId)) return;
    pad.strokes.at(-1).push(at(event));
    readPad();
  });
  padCanvas.addEventListener('keydown', keyOnPad);
  padCanvas.addEventListener('focus', readPad);
  padCanvas.addEventListener('blur', readPad);
  document.getElementById('clear').addEventListener('click', () => {
    Object.assign(pad, { strokes: [], down: false });
    readPad();
  });
  document.getElementById('labels').append(...Array.from({ length: 10 }, (_, digit) => {
    const button = element('button', { type: 'button', textContent: digit });
    button.addEventListener('click', () => teach(digit));
    return button;
  }));
  document.querySelector('#reading tbody').append(...Array.from({ length: 10 }, (_, digit) => element('tr', {},
    element('th', { scope: 'row', textContent: digit }),
    ...['a', 'b'].map((name) => element('td', { className: name }, element('div'))))));
}

function keyOnPad(event) {
  const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
  if (!way && event.key !== ' ') return;
  event.preventDefault();
  if (way) pad.pen = pad.pen.map((at, k) => Math.min(0.97, Math.max(0.03, at + way[k] * 0.04)));
  else pad.down = !pad.down;
  if (!way && pad.down) pad.strokes.push([pad.pen]);
  else if (way && pad.down) pad.strokes.at(-1).push(pad.pen);
  readPad();
}

/** The drawing becomes part of every batch, and the pad is free for the next. */
function teach(label) {
  if (!learning.task || pad.strokes.length === 0) return;
  const answer = attempt({ teach: { strokes: pad.strokes, label } });
  if (!answer) return;
  showTaught(answer);
  Object.assign(pad, { strokes: [], down: false });
  readPad();
}

function showTaught({ taught }) {
  document.getElementById('taught').textContent = taught ? `${taught} of yours to learn from` : '';
}

/** Draws the pad, asks the networks, and shows their answers. */
function readPad() {
  const { context, width } = wiped(padCanvas);
  context.lineCap = context.lineJoin = 'round';
  for (const stroke of pad.strokes) {
    const points = stroke.length === 1 ? [stroke[0], stroke[0]] : stroke;
    lineOn(context, points, (_, [x, y]) => [x * width, y * width], { color: colour('ink'), width: width / 14 });
  }
  if (document.activeElement === padCanvas && padCanvas.matches(':focus-visible')) {
    dot(context, pad.pen.map((at) => at * width), 6, colour(pad.down ? 'red' : 'soft'));
  }
  const blank = !learning.task || pad.strokes.length === 0;
  const reading = blank ? null : attempt({ read: { strokes: pad.strokes } });
  seen(reading?.pixels ?? new Array(784).fill(0));
  nameColumns('#reading');
  [0, 1].forEach((index) => {
    const shares = reading?.probabilities[index] ?? new Array(10).fill(0);
    const best = Math.max(...shares);
    shares.forEach((share, digit) => {
      const cell = document.querySelector('#reading tbody').rows[digit].cells[index + 1];
      cell.classList.toggle('sure', share === best && best > 0.3);
      Object.assign(cell.firstChild.dataset, { share: `${Math.round(100 * share)} %` });
      cell.firstChild.style.width = `${100 * share}%`;
    });
  });
}

function seen(pixels) {
  const image = new ImageData(28, 28);
  const ink = rgb('ink');
  pixels.forEach((cover, at) => image.data.set([...ink, Math.round(255 * cover)], 4 * at));
  const small = element('canvas', { width: 28, height: 28 });
  small.getContext('2d').putImageData(image, 0, 0);
  const { context, width, height } = wiped(document.getElementById('seen'));
  context.imageSmoothingEnabled = false;
  context.drawImage(small, 0, 0, width, height);
}

// Two optimizers on a landscape: the whole walk is computed at once, as often as the start or an option changes.

const walk = { places: [], place: null, start: [0, 0], paths: [], lines: [], linesOf: null, playing: false, frame: null };
const map = document.getElementById('map');
const stepSlider = document.getElementById('step');

function openLandscapes(places) {
  walk.places = places;
  const select = document.getElementById('place');
  select.append(...places.map(({ name }) => element('option', { textContent: name })));
  select.addEventListener('change', () => choosePlace(select.value));
  document.getElementById('length').addEventListener('change', walkAnew);
  document.getElementById('play').addEventListener('click', () => (walk.playing ? pauseWalk() : playWalk()));
  stepSlider.addEventListener('input', () => { pauseWalk(); drawWalk(); });
  const drag = (event) => {
    const box = map.getBoundingClientRect();
    const [[x0, x1], [y0, y1]] = walk.place.view;
    const [right, down] = [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
    moveStart([x0 + (x1 - x0) * right, y1 - (y1 - y0) * down]);
  };
  map.addEventListener('pointerdown', (event) => { map.setPointerCapture(event.pointerId); drag(event); });
  map.addEventListener('pointermove', (event) => { if (map.hasPointerCapture(event.pointerId)) drag(event); });
  map.addEventListener('keydown', (event) => {
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    if (!way) return;
    event.preventDefault();
    const far = event.shiftKey ? 0.1 : 0.02;
    moveStart(walk.start.map((at, k) => at + way[k] * far * (walk.place.view[k][1] - walk.place.view[k][0])));
  });
  choosePlace(places[0].name, false);
}

function choosePlace(name, now = true) {
  walk.place = walk.places.find((place) => place.name === name);
  walk.start = walk.place.start;
  document.getElementById('formula').textContent = walk.place.formula;
  if (!now) return;
  walkAnew();
  if (!still.matches) playWalk();
}

function moveStart(to) {
  walk.start = to.map((at, k) => Math.min(Math.max(at, walk.place.view[k][0]), walk.place.view[k][1]));
  pauseWalk();
  stepSlider.value = stepSlider.max;
  walkAnew();
}

function walkAnew() {
  const steps = Number(document.getElementById('length').value);
  const atEnd = stepSlider.value === stepSlider.max;
  const found = attempt({ walk: { landscape: walk.place.name, start: walk.start, steps, rules: pair() } });
  walk.paths = found?.paths ?? [];
  stepSlider.max = steps;
  if (atEnd) stepSlider.value = steps;
  drawWalk();
}

/** All steps in about six seconds. */
function playWalk() {
  pauseWalk();
  walk.playing = true;
  document.getElementById('play').textContent = 'pause';
  if (stepSlider.value === stepSlider.max) stepSlider.value = 0;
  let before = performance.now();
  let step = Number(stepSlider.value);
  const frame = (now) => {
    if (page.tab !== 'landscape') return pauseWalk();
    step += (now - before) / 6000 * stepSlider.max;
    before = now;
    stepSlider.value = Math.floor(step);
    drawWalk();
    if (step >= stepSlider.max) return pauseWalk();
    walk.frame = requestAnimationFrame(frame);
  };
  walk.frame = requestAnimationFrame(frame);
}

function pauseWalk() {
  walk.playing = false;
  cancelAnimationFrame(walk.frame);
  document.getElementById('play').textContent = 'play';
}

/** The level lines: asked for once, and anew where the landscape moves. */
function contours(step) {
  const key = `${walk.place.name} ${walk.place.moves ? step : ''}`;
  if (walk.linesOf !== key) {
    walk.lines = attempt({ contours: { landscape: walk.place.name, step: walk.place.moves ? step : 0 } })?.lines ?? [];
    walk.linesOf = key;
  }
  return walk.lines;
}

function drawWalk() {
  const step = Number(stepSlider.value);
  const { context, width, height } = wiped(map);
  const [[x0, x1], [y0, y1]] = walk.place.view;
  const place = (x, y) => [(x - x0) / (x1 - x0) * width, (y1 - y) / (y1 - y0) * height];
  context.lineJoin = context.lineCap = 'round';
  for (const { strength, points } of contours(step)) {
    const line = points.filter((_, index) => index % 2 === 0);
    const style = { color: colour('level'), width: 1, alpha: strength };
    lineOn(context, line, (index, x) => place(x, points[2 * index + 1]), style);
  }
  walk.paths.forEach(({ x, y }, index) => {
    const color = colour(COLOURS[index]);
    lineOn(context, x, (at, value) => place(value, y[at]), { color, alpha: 0.25 });
    lineOn(context, x.slice(0, step + 1), (at, value) => place(value, y[at]), { color, width: 2.5 });
    const now = Math.min(step, x.length - 1);
    dot(context, place(x[now], y[now]), 5, color);
  });
  dot(context, place(...walk.start), 9, null);
  document.getElementById('steps').textContent = `step ${step} of ${stepSlider.max}`;
  chartsOfWalk(step);
  numbersOfWalk(step);
}

function dot(context, [x, y], radius, fill) {
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  context.lineWidth = fill ? 1.5 : 2.5;
  context.strokeStyle = colour(fill ? 'paper' : 'ink');
  if (fill) { context.fillStyle = fill; context.fill(); }
  context.stroke();
}

function chartsOfWalk(step) {
  const both = (of) => walk.paths.flatMap((path, index) => [0, 1].map((axis) => ({
    values: [null, ...path[of][axis]], color: colour(COLOURS[index]), dash: axis ? [2, 3] : [],
  })));
  const heights = walk.paths.map((path, index) => ({ values: path.loss, color: colour(COLOURS[index]) }));
  // Where the ground is below 0, a logarithm has nothing to show.
  const log = heights.every(({ values }) => values.every((height) => height >= 0));
  drawChart(document.getElementById('heights'), heights, { at: step, log });
  drawChart(document.getElementById('rates'), both('rate'), { at: step });
  drawChart(document.getElementById('memories'), both('v'), { at: step });
}

function numbersOfWalk(step) {
  const columns = walk.paths.map(({ loss, x, y, rate, v }) => {
    const now = Math.min(step, x.length - 1);
    const at = (values, index) => short(values[index]);
    return [at(loss, now), at(x, now), at(y, now), ...[...rate, ...v].map((values) => at(values, now - 1))];
  });
  const names = ['height', 'x', 'y', 'effective rate in x', 'effective rate in y', 'v in x', 'v in y'];
  document.querySelector('#numbers tbody').replaceChildren(...names.map((name, row) => element('tr', {},
    element('th', { scope: 'row', textContent: name }),
    ...columns.map((column) => element('td', { textContent: column[row] })))));
  nameColumns('#numbers');
}

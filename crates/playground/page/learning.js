// Two networks that learn side by side, XOR or digits.

/** So many points of a chart at most: when there are more, every second one goes, and half as many are added. */
const KEPT = 600;
/** Milliseconds of a frame that training may take. */
const BUDGET = 11;
const SIDE = 48;

const learning = { task: null, step: 0, running: false, frame: null, seed: 1, history: [], calls: 0, every: 1 };

function openLearning() {
  const turn = () => (learning.running ? pauseTraining() : startTraining());
  document.getElementById('train').addEventListener('click', turn);
  document.getElementById('once').addEventListener('click', () => { pauseTraining(); train(1); drawLearning(); });
  document.getElementById('anew').addEventListener('click', () => { learning.seed += 1; learnAnew(); });
  const row = () => element('tr', {}, ...Array.from({ length: 5 }, () => element('td')));
  document.querySelector('#truth tbody').append(...CORNERS.map(row));
  openPad();
}

/** Both networks from their start, which is the same. */
function learnAnew() {
  const was = learning.running && learning.task === page.tab;
  pauseTraining();
  Object.assign(learning, { task: page.tab, step: 0, history: [], calls: 0, every: 1 });
  const answer = attempt({ learn: { task: learning.task, rules: pair(), seed: learning.seed } });
  // The program still has the old networks, and they are not what the page would call them.
  if (!answer) learning.task = null;
  else showTaught(answer);
  drawLearning();
  if (was && answer) startTraining();
}

function train(steps) {
  if (!learning.task) return;
  const answer = attempt({ train: { steps } });
  if (!answer) return pauseTraining();
  learning.step = answer.step;
  if (learning.calls % learning.every === 0) learning.history.push(answer);
  learning.calls += 1;
  if (learning.history.length > KEPT) {
    learning.history = learning.history.filter((_, index) => index % 2 === 0);
    learning.every *= 2;
  }
}

/** XOR at a speed that one can follow; digits as fast as it goes. */
function startTraining() {
  learning.running = true;
  document.getElementById('train').textContent = 'pause';
  const frame = () => {
    if (page.tab !== learning.task) return pauseTraining();
    const start = performance.now();
    const slowly = learning.task === 'xor';
    do train(slowly ? 2 : 1); while (learning.running && !slowly && performance.now() - start < BUDGET);
    drawLearning();
    if (learning.running) learning.frame = requestAnimationFrame(frame);
  };
  learning.frame = requestAnimationFrame(frame);
}

function pauseTraining() {
  learning.running = false;
  cancelAnimationFrame(learning.frame);
  document.getElementById('train').textContent = 'train';
}

function drawLearning() {
  const steps = learning.history.map(({ step }) => step);
  const told = steps.length > 1 ? { first: steps[0], last: steps.at(-1) } : {};
  const lines = (of, style = {}) => pair().map((_, index) => ({
    values: learning.history.map(({ learners }) => of(learners[index])), color: colour(COLOURS[index]), ...style,
  }));
  drawChart(document.getElementById('losses'), lines(({ progress }) => progress.loss), told);
  const band = (of) => [0, 1, 2].flatMap((k) => {
    const style = k === 1 ? {} : { width: 1, alpha: 0.5 };
    return lines(({ memory }) => memory[of]?.[k] ?? null, style);
  });
  drawChart(document.getElementById('spread'), band('rate'), told);
  drawChart(document.getElementById('vs'), band('v'), told);
  document.getElementById('trained').textContent = `step ${learning.step}`;
  if (page.tab === 'xor') drawPlanes();
  else { drawRights(told); readPad(); }
}

/** Of ten batches together: one alone is too few to tell 90 % from 95 %. */
function drawRights(told) {
  const lines = pair().map((_, index) => ({
    color: colour(COLOURS[index]),
    values: learning.history.map((_, at) => {
      const answers = learning.history.slice(Math.max(0, at - 9), at + 1);
      const batches = answers.map(({ learners }) => learners[index].progress);
      const sum = (of) => batches.reduce((total, batch) => total + batch[of], 0);
      return 100 * sum('right') / sum('of');
    }),
  }));
  drawChart(document.getElementById('rights'), lines, { ...told, log: false });
}

function drawPlanes() {
  const planes = (learning.task && attempt({ plane: { side: SIDE } })?.planes) ?? [[], []];
  const [none, full, ink] = [rgb('orange'), rgb('sky'), colour('ink')];
  document.querySelectorAll('.plane').forEach((canvas, index) => {
    const pixels = new ImageData(SIDE, SIDE);
    planes[index].forEach((p, at) => {
      // Strongest where the network is sure.
      const share = Math.min(1, Math.max(0, p));
      const parts = none.map((from, k) => Math.round(from + (full[k] - from) * share));
      pixels.data.set([...parts, 60 + Math.round(195 * Math.abs(2 * share - 1))], 4 * at);
    });
    const small = element('canvas', { width: SIDE, height: SIDE });
    small.getContext('2d').putImageData(pixels, 0, 0);
    const { context, width, height } = wiped(canvas);
    context.drawImage(small, 0, 0, width, height);
    context.font = '600 14px system-ui, "DejaVu Sans", sans-serif';
    context.textAlign = 'center';
    for (const [x, y] of CORNERS) {
      const [left, top] = [(x + 0.5) / 2 * width, (1.5 - y) / 2 * height];
      dot(context, [left, top], 11, colour('paper'));
      context.fillStyle = ink;
      context.fillText(String(x ^ y), left, top + 5);
    }
    canvas.closest('figure').querySelector('figcaption').textContent = pair()[index].rule;
  });
  truth(planes);
}

const CORNERS = [[0, 0], [0, 1], [1, 0], [1, 1]];

/** The plane's points nearest to the corners. */
function truth(planes) {
  const near = (x) => Math.round((x + 0.5) / 2 * (SIDE - 1));
  CORNERS.forEach(([x, y], row) => {
    const cells = document.querySelector('#truth tbody').rows[row].cells;
    const answers = planes.map((plane) => plane[(SIDE - 1 - near(y)) * SIDE + near(x)]);
    const values = [x, y, x ^ y, ...answers.map((p) => (p === undefined ? '–' : (p ?? NaN).toFixed(3)))];
    values.forEach((value, at) => { cells[at].textContent = value; });
  });
  nameColumns('#truth');
}

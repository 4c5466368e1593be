'use strict';

const SVG = 'http://www.w3.org/2000/svg';

// The table: a click on a heading sorts by it, a second one the other way round.
const table = document.getElementById('claims');
const headings = [...table.tHead.rows[0].cells];

function sortBy(column) {
  const up = headings[column].ariaSort !== 'ascending';
  headings.forEach((heading) => heading.removeAttribute('aria-sort'));
  headings[column].ariaSort = up ? 'ascending' : 'descending';
  const key = (row) => row.cells[column].dataset.sort ?? row.cells[column].textContent;
  const compare = (a, b) => {
    const [x, y] = [key(a), key(b)];
    const difference = Number(x) - Number(y);
    return Number.isNaN(difference) ? x.localeCompare(y) : difference;
  };
  const rows = [...table.tBodies[0].rows].sort((a, b) => (up ? compare(a, b) : compare(b, a)));
  table.tBodies[0].append(...rows);
}

headings.forEach((heading, column) => {
  heading.querySelector('button').addEventListener('click', () => sortBy(column));
});

// The filters hide rows, and the sections they lead to.
const text = document.getElementById('text');
const verdict = document.getElementById('verdict');

function filter() {
  const words = text.value.toLowerCase().split(/\s+/);
  let shown = 0;
  for (const row of table.tBodies[0].rows) {
    const content = row.textContent.toLowerCase();
    const fits = words.every((word) => content.includes(word))
      && (verdict.value === '' || verdict.value === row.dataset.verdict);
    row.hidden = !fits;
    document.getElementById(row.querySelector('a').hash.slice(1)).hidden = !fits;
    shown += fits;
  }
  const all = table.tBodies[0].rows.length;
  document.getElementById('shown').textContent = shown === all ? '' : `${shown} of ${all}`;
}

text.addEventListener('input', filter);
verdict.addEventListener('change', filter);

// The drawings: values and places of the points of each curve.
function scale(ends) {
  const [low, high, from, to, log] = ends.split(' ').map(Number);
  return (value) => from + ((log ? Math.log10(value) : value) - low) / (high - low) * (to - from);
}

function curvesOf(chart) {
  const [x, y] = [scale(chart.dataset.x), scale(chart.dataset.y)];
  return [...chart.querySelectorAll('.curve')].map((path) => {
    const listed = path.dataset.points;
    const points = (listed ? listed.split(',') : []).map((point) => {
      const [vx, vy] = point.split(' ').map(Number);
      return { vx, vy, x: x(vx) + Number(path.dataset.shift), y: y(vy) };
    });
    return { path, points, name: path.dataset.name, walks: 'walk' in path.dataset };
  });
}

const drawable = (point) => Number.isFinite(point.x) && Number.isFinite(point.y);

// Where one stands: the point nearest to the pointer, with its values.
const tip = document.getElementById('tip');

function circle(parent, name, radius) {
  const mark = document.createElementNS(SVG, 'circle');
  mark.setAttribute('class', name);
  mark.setAttribute('r', radius);
  parent.append(mark);
  return mark;
}

function put(mark, point) {
  mark.setAttribute('visibility', point ? 'visible' : 'hidden');
  if (point) {
    mark.setAttribute('cx', point.x);
    mark.setAttribute('cy', point.y);
  }
}

function nearest(curves, at) {
  let best = null;
  for (const curve of curves) {
    for (const point of curve.points) {
      const distance = (point.x - at.x) ** 2 + (point.y - at.y) ** 2;
      if (distance < (best ? best.distance : 40 ** 2)) best = { distance, point, curve };
    }
  }
  return best;
}

function showTip(event, found) {
  tip.hidden = !found;
  if (!found) return;
  tip.textContent = `${found.curve.name}: (${found.point.vx}, ${found.point.vy})`;
  const room = document.documentElement.clientWidth - tip.offsetWidth - 8;
  tip.style.left = `${Math.max(8, Math.min(event.pageX + 14, room))}px`;
  tip.style.top = `${event.pageY - tip.offsetHeight - 12}px`;
}

function hover(chart, curves) {
  const hit = circle(chart, 'hit', 5);
  put(hit, null);
  const move = (event) => {
    const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(chart.getScreenCTM().inverse());
    const found = nearest(curves, at);
    put(hit, found && found.point);
    showTip(event, found);
  };
  chart.addEventListener('pointermove', move);
  chart.addEventListener('pointerdown', move);
  chart.addEventListener('pointerleave', (event) => {
    put(hit, null);
    showTip(event, null);
  });
}

// The slider: each trajectory up to a step strong, the rest of it faint.
function pathThrough(points) {
  let path = '';
  let open = false;
  for (const point of points) {
    const seen = drawable(point);
    if (seen) path += `${open ? 'L' : 'M'}${point.x.toFixed(1)} ${point.y.toFixed(1)}`;
    open = seen;
  }
  return path;
}

function walk(panel, curves) {
  const slider = panel.querySelector('input');
  const walkers = curves.filter((curve) => curve.walks).map((curve) => {
    const done = curve.path.cloneNode();
    done.removeAttribute('data-points');
    curve.path.classList.add('ahead');
    curve.path.after(done);
    const here = circle(curve.path.parentNode, 'here', 4);
    here.classList.add(...[...curve.path.classList].filter((name) => /^c\d$/.test(name)));
    return { points: curve.points, done, here };
  });
  slider.max = Math.max(0, ...walkers.map((walker) => walker.points.length - 1));
  const stride = Number(panel.dataset.stride);
  const show = () => {
    const step = Number(slider.value);
    for (const { points, done, here } of walkers) {
      const passed = points.slice(0, step + 1);
      done.setAttribute('d', pathThrough(passed));
      put(here, passed.filter(drawable).at(-1));
    }
    panel.querySelector('output').textContent = `step ${step * stride} of ${slider.max * stride}`;
  };
  slider.addEventListener('input', show);
  play(panel.querySelector('button'), slider, show);
  slider.value = slider.max;
  show();
}

// From the first step to the last in about six seconds.
function play(button, slider, show) {
  let timer = null;
  const stop = () => {
    clearInterval(timer);
    timer = null;
    button.textContent = 'play';
  };
  button.addEventListener('click', () => {
    if (timer) return stop();
    if (slider.value === slider.max) slider.value = 0;
    button.textContent = 'stop';
    timer = setInterval(() => {
      slider.value = Number(slider.value) + Math.max(1, Math.round(slider.max / 150));
      show();
      if (slider.value === slider.max) stop();
    }, 40);
  });
}

for (const figure of document.querySelectorAll('figure')) {
  const chart = figure.querySelector('.chart');
  const curves = curvesOf(chart);
  hover(chart, curves);
  const panel = figure.querySelector('.walk');
  if (panel) walk(panel, curves);
}

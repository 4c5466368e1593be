// Drawing on canvases, in the colours of the style sheet.

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
/** Of a colour that the style sheet writes with six digits. */
const rgb = (name) => colour(name).match(/[0-9a-f]{2}/gi).map((two) => parseInt(two, 16));
const COLOURS = ['blue', 'red'];

/** The canvas at the screen's resolution, wiped: its context, width and height in pixels of the page. */
function wiped(canvas) {
  const { clientWidth: width, clientHeight: height } = canvas;
  const scale = window.devicePixelRatio || 1;
  const [columns, rows] = [Math.round(width * scale), Math.round(height * scale)];
  if (canvas.width !== columns || canvas.height !== rows) Object.assign(canvas, { width: columns, height: rows });
  const context = canvas.getContext('2d');
  context.setTransform(scale, 0, 0, scale, 0, 0);
  context.clearRect(0, 0, width, height);
  return { context, width, height };
}

/** A number for people, to three digits at most. */
function short(value) {
  if (value === null || value === undefined || !Number.isFinite(value)) return '–';
  if (value === 0) return '0';
  const size = Math.abs(value);
  const far = size >= 1e4 || size < 1e-3;
  return far ? value.toExponential(1).replace('.0', '').replace('e+', 'e') : String(Number(value.toPrecision(3)));
}

/** What an axis reaches from and to: all values, or the powers of ten around them. */
function reach(lines, log) {
  let [low, high] = [Infinity, -Infinity];
  for (const { values } of lines) {
    for (const value of values) {
      if (Number.isFinite(value) && (!log || value > 0)) {
        low = Math.min(low, value);
        high = Math.max(high, value);
      }
    }
  }
  if (low > high) return null;
  if (!log) return low === high ? [low - 1, high + 1] : [low, high];
  // Twelve decades are more than an eye tells apart.
  low = Math.max(low, high * 1e-12);
  return [Math.log10(low) - 0.1, Math.log10(high) + 0.1];
}

function lineOn(context, values, place, { color, dash = [], width = 2, alpha = 1 }) {
  context.strokeStyle = color;
  context.lineWidth = width;
  context.globalAlpha = alpha;
  context.setLineDash(dash);
  context.beginPath();
  let open = false;
  values.forEach((value, index) => {
    const [x, y] = place(index, value);
    const seen = Number.isFinite(y);
    if (seen) context[open ? 'lineTo' : 'moveTo'](x, y);
    open = seen;
  });
  context.stroke();
  context.setLineDash([]);
  context.globalAlpha = 1;
}

/** Curves over steps. `lines` have `values`, `color` and how they are drawn; `at` is a step that is marked;
 * `first` and `last` are the steps at the ends. */
function drawChart(canvas, lines, { log = true, at = null, first = 0, last = null } = {}) {
  const { context, width, height } = wiped(canvas);
  const ends = reach(lines, log);
  const longest = Math.max(2, ...lines.map((line) => line.values.length));
  context.font = '11px system-ui, "DejaVu Sans", sans-serif';
  context.fillStyle = colour('soft');
  if (!ends) {
    context.fillText('nothing yet', 8, height / 2);
    return;
  }
  const [left, right, top, bottom] = [46, width - 6, 8, height - 18];
  const x = (index) => left + (index / (longest - 1)) * (right - left);
  const y = (value) => {
    const at = log ? Math.log10(Math.max(value, 0)) : value;
    return bottom - ((Math.max(at, ends[0]) - ends[0]) / (ends[1] - ends[0])) * (bottom - top);
  };
  context.strokeStyle = colour('grid');
  context.lineWidth = 1;
  for (const level of levels(ends, log)) {
    const value = log ? 10 ** level : level;
    context.beginPath();
    context.moveTo(left, y(value));
    context.lineTo(right, y(value));
    context.stroke();
    context.fillText(short(value), 4, y(value) + 4);
  }
  const end = String(last ?? first + longest - 1);
  context.fillText(String(first), left, height - 4);
  context.fillText(end, right - context.measureText(end).width, height - 4);
  const place = (index, value) => [x(index), value === null ? NaN : y(value)];
  lines.forEach((line) => lineOn(context, line.values, place, line));
  if (at === null) return;
  lineOn(context, [0, 0], (index) => [x(at), index ? top : bottom], { color: colour('ink'), width: 1 });
}

/** A few round numbers within the axis; of a logarithm, powers of ten, and 2 and 5 between them where there is room. */
function levels([low, high], log) {
  if (log && high - low < 2) {
    const powers = [0, 1, 2].map((above) => Math.floor(low) + above);
    const found = powers.flatMap((power) => [1, 2, 5].map((n) => power + Math.log10(n)));
    return found.filter((level) => level >= low && level <= high);
  }
  let step = log ? Math.ceil((high - low) / 5) : 10 ** Math.floor(Math.log10(high - low));
  while ((high - low) / step > 5) step *= 2;
  const found = [];
  for (let level = Math.ceil(low / step) * step; level <= high; level += step) {
    found.push(Number(level.toPrecision(6)));
  }
  return found;
}

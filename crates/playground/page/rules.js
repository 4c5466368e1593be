// The two optimizers and their options. A landscape and a network need other rates, so each has its own pair.

/** What a rule starts with here; its own defaults are for networks of another size. */
const RATES = {
  walk: { Sgd: 0.002, RmsProp: 0.02, AdaGrad: 0.3, Adadelta: 1, Rprop: 0.02 },
  learn: { Sgd: 0.1, RmsProp: 0.003, AdaGrad: 0.03, Adadelta: 1, Adam: 0.003, Lion: 0.0005, Rprop: 0.001 },
};
const OTHERWISE = { walk: 0.05, learn: 0.003 };
const PLACES = { eps: ['Outside', 'Inside', 'Uncorrected'], weight_decay: ['None', 'L2', 'Decoupled'] };

const rules = {
  kinds: [],
  pairs: { walk: ['RmsProp', 'Adam'], learn: ['RmsProp', 'Adam'] },
  world: 'walk',
  changed: () => {},
};

function startOf(name, world) {
  const { options } = rules.kinds.find((kind) => kind.name === name);
  return { rule: name, options: { ...structuredClone(options), lr: RATES[world][name] ?? OTHERWISE[world] } };
}

/** Once the catalogue is there. */
function openRules(kinds, changed) {
  Object.assign(rules, { kinds, changed });
  for (const [world, names] of Object.entries(rules.pairs)) {
    rules.pairs[world] = names.map((name) => startOf(name, world));
  }
}

const pair = () => rules.pairs[rules.world];

function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

/** Shows the pair of a world. */
function showRules(world) {
  rules.world = world;
  document.getElementById('rules').replaceChildren(...pair().map((_, index) => panel(index)));
}

function panel(index) {
  const choice = pair()[index];
  const name = element('select', { ariaLabel: `optimizer ${'AB'[index]}` });
  name.append(...rules.kinds.map((kind) => element('option', { textContent: kind.name })));
  name.value = choice.rule;
  name.addEventListener('change', () => {
    const open = document.querySelectorAll('#rules details')[index].open;
    pair()[index] = startOf(name.value, rules.world);
    showRules(rules.world);
    document.querySelectorAll('#rules details')[index].open = open;
    document.querySelectorAll('#rules fieldset > .row select')[index].focus();
    rules.changed();
  });
  const others = Object.keys(choice.options).filter((key) => key !== 'lr');
  const options = element('div', { className: 'options' }, ...others.map((key) => option(choice.options, key)));
  const details = element('details', {}, element('summary', { textContent: 'options' }), options);
  const row = element('div', { className: 'row' }, name, ...rate(choice.options));
  return element('fieldset', { className: 'ab'[index] }, row, details);
}

/** The rate: a number, and a slider over its logarithm. */
function rate(options) {
  const number = element('input', { type: 'number', step: 'any', min: 0, value: options.lr, ariaLabel: 'rate' });
  const slider = element('input', { type: 'range', min: -5, max: 1, step: 0.02, ariaLabel: 'rate, logarithmic' });
  slider.value = Math.log10(options.lr);
  slider.addEventListener('input', () => {
    options.lr = Number((10 ** slider.value).toPrecision(2));
    number.value = options.lr;
    rules.changed();
  });
  number.addEventListener('input', () => {
    options.lr = number.valueAsNumber;
    if (options.lr > 0) slider.value = Math.log10(options.lr);
    rules.changed();
  });
  return [element('label', {}, 'rate ', number), slider];
}

function option(options, key) {
  const changed = (value) => {
    options[key] = value;
    rules.changed();
  };
  const label = element('label', {}, key.replaceAll('_', ' '));
  if (typeof options[key] === 'boolean') {
    const box = element('input', { type: 'checkbox', checked: options[key] });
    box.addEventListener('change', () => changed(box.checked));
    label.append(box);
  } else if (PLACES[key]) {
    label.append(...placed(options[key], PLACES[key], changed));
  } else {
    const number = element('input', { type: 'number', step: 'any', value: options[key] });
    number.addEventListener('input', () => changed(number.valueAsNumber));
    label.append(number);
  }
  return label;
}

/** A number and what it means: where ε stands, which weight decay. `None` has no number. */
function placed(value, places, changed) {
  const [place, size] = typeof value === 'string' ? [value, 0] : Object.entries(value)[0];
  const select = element('select', {}, ...places.map((name) => element('option', { textContent: name })));
  select.value = place;
  const number = element('input', { type: 'number', step: 'any', min: 0, value: size, disabled: place === 'None' });
  const tell = () => {
    number.disabled = select.value === 'None';
    changed(number.disabled ? 'None' : { [select.value]: number.valueAsNumber });
  };
  select.addEventListener('change', tell);
  number.addEventListener('input', tell);
  return [select, number];
}

/** The last two columns of a table are the two rules'. */
function nameColumns(table) {
  const heads = [...document.querySelectorAll(`${table} thead th`)].slice(-2);
  heads.forEach((head, index) => Object.assign(head, { className: 'ab'[index], textContent: pair()[index].rule }));
}

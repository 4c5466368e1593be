// Opens the playground that `wengert lab playground` wrote in headless Chromium and plays.
//
//     node playground.mjs SCREENSHOTS PLAYGROUND.html
//
// browser.mjs says what it needs.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

import { check, checkWidth, visitAll } from './browser.mjs';

/** Bytes, packed as a server would send them. */
const MOST = 350 * 1024;
/** Frames per second while something moves, on a machine that may be busy. */
const FEWEST = 10;

/** What `#numbers` shows: of each optimizer height, x, y, rates and v. */
const numbers = (page) => page.$$eval('#numbers tbody tr', (rows) => [1, 2].map((column) => (
  rows.map((row) => row.cells[column].textContent))));

/** The colours of a canvas, to see whether it has changed. */
const drawn = (page, canvas) => page.$eval(canvas, (element) => element.toDataURL());

const framesPerSecond = (page) => page.evaluate(() => new Promise((done) => {
  const start = performance.now();
  let frames = 0;
  const frame = (now) => {
    frames += 1;
    if (now - start > 1000) done(1000 * frames / (now - start));
    else requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
}));

async function checkSpeed(page, where) {
  const rate = await framesPerSecond(page);
  console.log(`${where}: ${rate.toFixed(0)} frames per second`);
  check(rate >= FEWEST, `${where}: only ${rate.toFixed(1)} frames per second`);
}

async function setSlider(page, slider, value) {
  await page.$eval(slider, (element, value) => {
    element.value = value === 'end' ? element.max : value;
    element.dispatchEvent(new Event('input', { bubbles: true }));
  }, value);
}

async function drag(page, canvas, points) {
  await page.locator(canvas).scrollIntoViewIfNeeded();
  const box = await page.locator(canvas).boundingBox();
  const at = ([x, y]) => [box.x + x * box.width, box.y + y * box.height];
  await page.mouse.move(...at(points[0]));
  await page.mouse.down();
  for (const point of points.slice(1)) await page.mouse.move(...at(point), { steps: 5 });
  await page.mouse.up();
}

async function go(page, tab) {
  await page.click(`nav a[href="#${tab}"]`);
  check(await page.getAttribute(`nav a[href="#${tab}"]`, 'aria-current') === 'page', `${tab} is not marked`);
}

async function checkLandscapes(page, where) {
  for (const name of await page.$$eval('#place option', (options) => options.map((option) => option.textContent))) {
    await page.selectOption('#place', name);
    await setSlider(page, '#step', 0);
    const start = await numbers(page);
    check(start[0].slice(0, 3).join() === start[1].slice(0, 3).join(), `${where}: ${name}: two starts`);
    await setSlider(page, '#step', 'end');
    const end = await numbers(page);
    check(end.every((walker, at) => walker[1] !== start[at][1]), `${where}: ${name}: not both move: ${end}`);
    check(end[0].join() !== end[1].join(), `${where}: ${name}: both optimizers do the same`);
    check(end.flat().every((text) => /\d/.test(text)), `${where}: ${name}: no number: ${end}`);
    check(await page.isHidden('#complaint'), `${where}: ${name}: ${await page.textContent('#complaint')}`);
  }
}

async function checkStart(page, where) {
  await page.selectOption('#place', 'quadratic');
  const start = async () => {
    await setSlider(page, '#step', 0);
    return (await numbers(page))[0].slice(1, 3).map(Number);
  };
  await drag(page, '#map', [[0.2, 0.5], [0.75, 0.25]]);
  const dragged = await start();
  // Of an axis from -4 to 4, and of one from -3 to 3.
  check(Math.abs(dragged[0] - 2) < 0.05 && Math.abs(dragged[1] - 1.5) < 0.05, `${where}: dragged to ${dragged}`);
  await page.focus('#map');
  await page.keyboard.press('ArrowLeft');
  await page.keyboard.press('Shift+ArrowDown');
  const pushed = await start();
  check(pushed[0] < dragged[0] && pushed[1] < dragged[1] - 0.5, `${where}: keys push ${dragged} to ${pushed}`);
}

async function checkOptions(page, where) {
  const rules = await page.$$eval('fieldset.a > .row select option', (options) => options.map((o) => o.textContent));
  check(rules.length >= 10, `${where}: only the rules ${rules}`);
  for (const rule of rules) {
    await page.selectOption('fieldset.a > .row select', rule);
    check(await page.isHidden('#complaint'), `${where}: ${rule}: ${await page.textContent('#complaint')}`);
  }
  await page.selectOption('fieldset.a > .row select', 'RmsProp');
  await setSlider(page, '#step', 100);
  const before = await drawn(page, '#map');
  await page.click('fieldset.a summary');
  await page.check('fieldset.a .options label:has-text("centered") input');
  check((await drawn(page, '#map')) !== before, `${where}: an option changes nothing`);
  await page.fill('fieldset.a input[type=number]', '-1');
  check(/lr is -1/.test(await page.textContent('#complaint')), `${where}: a rate of -1 is taken`);
  await page.selectOption('#place', 'saddle');
  await page.evaluate(() => new Promise((done) => { requestAnimationFrame(() => requestAnimationFrame(done)); }));
  check(await page.isVisible('#complaint'), `${where}: another landscape hides the complaint`);
  check((await page.$$('#numbers td')).length === 0, `${where}: paths of the landscape before are drawn`);
  await page.selectOption('#place', 'quadratic');
  await page.fill('fieldset.a input[type=number]', '0.02');
  check(await page.isHidden('#complaint'), `${where}: the complaint stays`);
}

/** Networks with an option that makes no sense do not train, and nothing hides why. */
async function checkRefused(page, where) {
  const rate = 'fieldset.a input[type=number]';
  const before = await page.inputValue(rate);
  await page.fill(rate, '');
  for (const button of ['#train', '#once', '#train']) await page.click(button);
  await framesPerSecond(page);
  const step = await page.textContent('#trained');
  check(step === 'step 0', `${where}: without a rate it trains to ${step}`);
  check(await page.isVisible('#complaint'), `${where}: training hides the complaint`);
  const words = await page.textContent('#complaint');
  check(/: lr needs a number/.test(words), `${where}: an empty rate is called: ${words}`);
  await page.fill(rate, before);
  check(await page.isHidden('#complaint'), `${where}: the complaint stays`);
  await page.click('#once');
  check((await page.textContent('#trained')) === 'step 1', `${where}: it does not train again`);
}

/** How many steps are made in so many frames. */
const stepsInFrames = (page) => page.evaluate(() => new Promise((done) => {
  const step = () => Number(document.getElementById('trained').textContent.slice(5));
  let [frames, first] = [0, null];
  const frame = () => {
    first ??= step();
    frames += 1;
    if (frames === 20) done([step() - first, frames]);
    else requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
}));

async function checkXor(page, where) {
  await go(page, 'xor');
  const before = await drawn(page, '.plane');
  await page.click('#train');
  for (const rate of [-2, -2.1, -2.2]) await setSlider(page, 'fieldset.a input[type=range]', rate); // begins anew
  await checkSpeed(page, `${where}, XOR`);
  const [steps, frames] = await stepsInFrames(page);
  check(steps <= 2 * frames + 2, `${where}: ${steps} steps in ${frames} frames: more than one loop trains`);
  await page.waitForFunction(() => [...document.querySelectorAll('#truth tbody tr')].every((row) => {
    const [, , expected, ...answers] = [...row.cells].map((cell) => Number(cell.textContent));
    return answers.length === 2 && answers.every((answer) => Math.abs(answer - expected) < 0.1);
  }), null, { timeout: 20000 }).catch(() => check(false, `${where}: XOR is not learnt`));
  await page.click('#train');
  check((await drawn(page, '.plane')) !== before, `${where}: the plane stays as it was`);
  const step = await page.textContent('#trained');
  await page.click('#once');
  check((await page.textContent('#trained')) !== step, `${where}: one step is none`);
}

const SEVEN = [[0.35, 0.2], [0.65, 0.2], [0.6, 0.4], [0.5, 0.6], [0.45, 0.85]];

/** What both networks are most sure of. */
const read = (page) => page.$$eval('#reading tbody tr', (rows) => [1, 2].map((column) => {
  const widths = rows.map((row) => parseFloat(row.cells[column].firstChild.style.width));
  return widths.indexOf(Math.max(...widths));
}));

async function checkDigits(page, where) {
  await page.click('#train');
  await page.waitForFunction(() => Number(document.getElementById('trained').textContent.slice(5)) > 250,
    null, { timeout: 60000 }).catch(() => check(false, `${where}: too slow`));
  await page.click('#train');
  await drag(page, '#pad', SEVEN);
  check((await read(page)).join() === '7,7', `${where}: a seven is read as ${await read(page)}`);
  await page.click('#labels button:has-text("7")');
  const taught = async (what) => check(/^1 of yours/.test(await page.textContent('#taught')), `${where}: ${what}`);
  await taught('nothing is taught');
  const blank = await drawn(page, '#seen');
  await page.focus('#pad');
  for (const key of [' ', ...Array(8).fill('ArrowDown'), ' ']) await page.keyboard.press(key);
  check((await drawn(page, '#seen')) !== blank, `${where}: keys draw nothing`);
  await page.click('#clear');
  check((await drawn(page, '#seen')) === blank, `${where}: the pad is not cleared`);
  await go(page, 'xor');
  await go(page, 'digits');
  await taught('another tab loses what was taught');
  await page.click('#train');
  await page.waitForFunction(() => Number(document.getElementById('trained').textContent.slice(5)) > 100,
    null, { timeout: 60000 }).catch(() => check(false, `${where}: it does not train again`));
  await page.click('#train');
  await drag(page, '#pad', SEVEN);
}

const [screenshots, file] = process.argv.slice(2);
if (!file) {
  console.error('usage: node playground.mjs SCREENSHOTS PLAYGROUND.html');
  process.exit(2);
}
const size = gzipSync(readFileSync(file)).length;
console.log(`${size} bytes, packed`);
check(size <= MOST, `${size} bytes are more than ${MOST}`);
await visitAll([file], screenshots, async (page, where) => {
  const show = async (part) => {
    await checkWidth(page, `${where}, ${part}`);
    await page.screenshot({ path: join(screenshots, `${where}-${part}.png`), fullPage: true });
  };
  await page.waitForSelector('#numbers td');
  await checkSpeed(page, `${where}, a walk`); // which begins by itself
  // What a look cannot change is looked at once.
  const once = where.endsWith('desktop-light');
  if (once) await checkLandscapes(page, where);
  await checkStart(page, where);
  if (once) await checkOptions(page, where);
  await show('landscape');
  await checkXor(page, where);
  await show('xor');
  if (once) await checkRefused(page, where);
  await go(page, 'digits');
  await page.click('#train');
  await checkSpeed(page, `${where}, digits`);
  await page.click('#train');
  if (once) await checkDigits(page, where);
  await show('digits');
});

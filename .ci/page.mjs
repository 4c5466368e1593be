// Opens pages that `wengert lab all` wrote in headless Chromium and uses them as a reader would.
//
//     node page.mjs SCREENSHOTS PAGE.html...
//
// browser.mjs says what it needs.
import { join } from 'node:path';

import { check, checkWidth, visitAll } from './browser.mjs';

/** Every figure is on the page, with paths that have a size, and no label of an axis lies on another. */
async function checkFigures(page, where) {
  const problems = await page.$$eval('figure', (figures) => figures.flatMap((figure) => {
    const title = figure.querySelector('figcaption').textContent;
    const found = [];
    const box = figure.querySelector('.chart').getBoundingClientRect();
    if (box.width < 250 || box.height < 150) found.push(`is ${box.width} by ${box.height}`);
    const paths = [...figure.querySelectorAll('.curve')];
    for (const path of paths.filter((path) => path.dataset.points !== '')) {
      const { width, height } = path.getBoundingClientRect();
      if (path.getAttribute('d') === '' || (width === 0 && height === 0 && !path.getAttribute('d').endsWith('h0'))) {
        found.push(`draws nothing for ${path.dataset.name}`);
      }
    }
    const labels = [...figure.querySelectorAll('.tick')].map((label) => label.getBoundingClientRect());
    const apart = (a, b) => a.right <= b.left || b.right <= a.left || a.bottom <= b.top || b.bottom <= a.top;
    labels.forEach((a, i) => labels.slice(i + 1).forEach((b) => {
      if (!apart(a, b)) found.push('has labels that overlap');
    }));
    if (labels.some((label) => label.left < box.left - 1 || label.right > box.right + 1)) found.push('cuts a label off');
    if (labels.some((label) => label.height < 10)) found.push('has labels too small to read');
    return found.map((problem) => `"${title}" ${problem}`);
  }));
  problems.forEach((problem) => check(false, `${where}: ${problem}`));
}

async function checkSlider(page, where) {
  for (const figure of await page.$$('figure:has(.walk)')) {
    const state = () => figure.$$eval('.here, .curve', (marks) => marks.map((mark) => mark.outerHTML).join());
    const atEnd = await state();
    await figure.$eval('input[type=range]', (slider) => {
      slider.value = Math.floor(slider.max / 3);
      slider.dispatchEvent(new Event('input'));
    });
    check((await state()) !== atEnd, `${where}: the slider moves nothing`);
    check(/^step [1-9]/.test(await figure.$eval('output', (output) => output.textContent)), `${where}: no step is shown`);
  }
}

async function checkHover(page, where) {
  const curve = await page.$('.chart:has(.curve[d*="L"])');
  await curve.scrollIntoViewIfNeeded();
  const point = await curve.$eval('.curve[d*="L"]', (path) => {
    const { x, y } = path.getPointAtLength(path.getTotalLength() / 2).matrixTransform(path.getScreenCTM());
    return { x, y };
  });
  await page.mouse.move(point.x, point.y);
  check(await page.isVisible('#tip'), `${where}: no value appears under the pointer`);
  check(/: \(.+, .+\)/.test(await page.textContent('#tip')), `${where}: the value under the pointer is not a point`);
  await page.mouse.move(0, 0);
}

async function checkTable(page, where) {
  const names = () => page.$$eval('#claims tbody tr:not([hidden]) a', (links) => links.map((link) => link.textContent));
  const all = await names();
  const sorted = [...all].sort((a, b) => a.localeCompare(b));
  const [heading] = await page.$$('#claims th button');
  await heading.click();
  check((await names()).join() === sorted.join(), `${where}: not sorted by name: ${await names()}`);
  await heading.click();
  check((await names()).join() === sorted.reverse().join(), `${where}: not sorted backwards: ${await names()}`);

  await page.fill('#text', all[0]);
  check((await names()).includes(all[0]), `${where}: the filter hides what it should find`);
  await page.fill('#text', 'nothing contains this');
  check((await names()).length === 0, `${where}: the filter finds what is not there`);
  check((await page.$$('section:not([hidden])')).length === 0, `${where}: sections of hidden claims are shown`);
  await page.fill('#text', '');
  const failed = await page.$$eval('#claims tr[data-verdict=FAIL]', (rows) => rows.length);
  await page.selectOption('#verdict', 'FAIL');
  check((await names()).length === failed, `${where}: the filter by verdict shows ${await names()}`);
  await page.selectOption('#verdict', '');
  check((await names()).length === all.length, `${where}: rows are missing without a filter`);
}

const [screenshots, ...files] = process.argv.slice(2);
if (files.length === 0) {
  console.error('usage: node page.mjs SCREENSHOTS PAGE.html...');
  process.exit(2);
}
await visitAll(files, screenshots, async (page, where) => {
  check((await page.$$('figure')).length > 0, `${where}: no figure`);
  await checkFigures(page, where);
  await checkWidth(page, where);
  await checkSlider(page, where);
  await checkHover(page, where);
  await page.screenshot({ path: join(screenshots, `${where}.png`), fullPage: true });
  await checkTable(page, where);
});

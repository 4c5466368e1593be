// Opens pages in headless Chromium as a reader would: wide and narrow, light and dark, without a network.
//
// Needs the package playwright-core and a Chromium; CHROMIUM names another one than /usr/bin/chromium.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

// From the working directory, where the package was installed, and not from where this file is.
const { chromium } = createRequire(join(process.cwd(), 'here.js'))('playwright-core');

const WIDTHS = { desktop: { width: 1280, height: 900 }, phone: { width: 390, height: 844 } };
const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync'];

const failures = [];
export function check(holds, what) {
  if (!holds) failures.push(what);
}

export async function checkWidth(page, where) {
  const [content, window] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  check(content <= window, `${where}: the page is ${content} wide in a window of ${window}`);
}

async function visit(browser, file, use, size, colorScheme) {
  const where = `${basename(dirname(file))}-${basename(file, '.html')}-${size}-${colorScheme}`;
  const context = await browser.newContext({ viewport: WIDTHS[size], colorScheme, offline: true });
  const page = await context.newPage();
  page.on('console', (message) => check(!['error', 'warning'].includes(message.type()), `${where}: ${message.text()}`));
  page.on('pageerror', (error) => check(false, `${where}: ${error}`));
  page.on('request', (request) => check(/^(file|data):/.test(request.url()), `${where}: asks for ${request.url()}`));
  try {
    await page.goto(pathToFileURL(resolve(file)).href);
    await use(page, where);
  } catch (error) {
    check(false, `${where}: ${error.stack}`);
  }
  await context.close();
}

/** Calls `use(page, where)` for each page in each look, says what failed, and ends the process. */
export async function visitAll(files, screenshots, use) {
  mkdirSync(screenshots, { recursive: true });
  const profile = mkdtempSync(join(tmpdir(), 'page-'));
  const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
  const env = { ...process.env, HOME: profile };
  try {
    const browser = await chromium.launch({ executablePath, headless: true, args: FLAGS, env });
    for (const file of files) {
      for (const size of Object.keys(WIDTHS)) {
        for (const scheme of ['light', 'dark']) await visit(browser, file, use, size, scheme);
      }
    }
    await browser.close();
  } catch (error) {
    check(false, `the browser: ${error.stack}`);
  }
  rmSync(profile, { recursive: true, force: true });
  failures.forEach((failure) => console.error(failure));
  console.log(failures.length === 0 ? 'the pages work' : `${failures.length} problems`);
  process.exit(failures.length === 0 ? 0 : 1);
}

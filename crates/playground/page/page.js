// Which part of the page is shown, and what happens when something goes wrong.

const page = { tab: null, ask: null };
/** Whoever wants no motion presses "play" for it. */
const still = matchMedia('(prefers-reduced-motion: reduce)');

/** The answer to a question; where there is none, the page says why, until one of that kind is answered. */
function attempt(question) {
  const complaint = document.getElementById('complaint');
  const [kind] = Object.keys(question);
  try {
    const answer = page.ask(question);
    // With new networks, what was wrong with the old is over.
    if (kind === 'learn' || kind === complaint.dataset.kind) complaint.hidden = true;
    return answer;
  } catch (error) {
    const stopped = error instanceof WebAssembly.RuntimeError;
    complaint.textContent = stopped ? 'The program stopped at a mistake of its own, and starts anew.' : error.message;
    complaint.dataset.kind = kind;
    complaint.hidden = false;
    return null;
  }
}

function show() {
  const tabs = ['landscape', 'xor', 'digits'];
  page.tab = tabs.find((tab) => `#${tab}` === location.hash) ?? tabs[0];
  for (const link of document.querySelectorAll('nav a')) {
    link.ariaCurrent = link.hash === `#${page.tab}` ? 'page' : null;
  }
  const learns = page.tab !== 'landscape';
  const shown = { landscape: !learns, learning: learns, xor: page.tab === 'xor', digits: page.tab === 'digits' };
  shown.shares = shown.digits;
  for (const [name, visible] of Object.entries(shown)) document.getElementById(`on-${name}`).hidden = !visible;
  showRules(learns ? 'learn' : 'walk');
  document.getElementById('complaint').hidden = true; // which was about the other pair, or comes again
  if (!learns) walkAnew();
  else if (learning.task === page.tab) drawLearning();
  else learnAnew();
}

function redraw() {
  if (page.tab === 'landscape') drawWalk();
  else drawLearning();
}

(async () => {
  try {
    page.ask = await openProgram();
  } catch (error) {
    const complaint = document.getElementById('complaint');
    complaint.textContent = `This browser cannot run the program: ${error.message}`;
    complaint.hidden = false;
    return;
  }
  const { landscapes, rules: kinds } = page.ask('catalogue');
  openRules(kinds, () => (page.tab === 'landscape' ? walkAnew() : learnAnew()));
  openLandscapes(landscapes);
  openLearning();
  addEventListener('hashchange', show);
  addEventListener('resize', redraw);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', redraw);
  show();
  for (const canvas of document.querySelectorAll('figure canvas')) {
    const label = canvas.closest('figure').textContent.trim() || 'the answers in the plane';
    Object.assign(canvas, { role: 'img', ariaLabel: label });
  }
  if (page.tab === 'landscape' && !still.matches) playWalk();
})();

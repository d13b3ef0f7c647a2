// What helps to read: folds that open for a link, the place in the contents.

/** Open the folds around the target of a link, and bring it into view. */
export function startLinks() {
  addEventListener('hashchange', () => reveal(location.hash.slice(1)));
  // A link to the place where the page already is changes nothing, and still has to show it.
  document.addEventListener('click', (event) => {
    const link = event.target.closest?.('a[href^="#"]');
    if (link && link.hash === location.hash) {
      reveal(link.hash.slice(1));
    }
  });
  if (location.hash) {
    reveal(location.hash.slice(1));
  }
}

/** Show the part of the page with an id. */
export function reveal(id) {
  const target = document.getElementById(id);
  if (!target) {
    return;
  }
  for (let fold = target.closest('details'); fold; fold = fold.parentElement.closest('details')) {
    fold.open = true;
  }
  target.scrollIntoView();
}

/** Only blocks that scroll need to be reached by keyboard. */
export function startScrolling() {
  const blocks = document.querySelectorAll('pre[tabindex], .table[tabindex]');
  const watcher = new ResizeObserver((entries) => {
    for (const { target } of entries) {
      target.tabIndex = target.scrollWidth > target.clientWidth ? 0 : -1;
    }
  });
  blocks.forEach((block) => watcher.observe(block));
}

/** Mark in the contents what is being read. */
export function startContents() {
  const menu = document.querySelector('details.menu');
  menu?.addEventListener('click', (event) => {
    if (event.target.closest('a')) {
      menu.open = false;
    }
  });
  const links = new Map();
  for (const link of document.querySelectorAll('.contents a[href^="#"]')) {
    links.set(link.hash.slice(1), link);
  }
  let current = null;
  const watcher = new IntersectionObserver(
    (entries) => {
      const entered = entries.filter((entry) => entry.isIntersecting).at(-1);
      if (entered) {
        current?.removeAttribute('aria-current');
        current = links.get(entered.target.id);
        current.setAttribute('aria-current', 'location');
      }
    },
    { rootMargin: '0px 0px -70% 0px' },
  );
  for (const id of links.keys()) {
    const target = document.getElementById(id);
    if (target) {
      watcher.observe(target);
    }
  }
}

// The script of a page.

import { startConsole } from './console.js';
import { startCopying } from './copying.js';
import { startContents, startLinks, startScrolling } from './reading.js';
import { startSearch } from './search.js';
import { applyTheme, startTheme } from './theme.js';

function start() {
  startTheme();
  startCopying();
  startScrolling();
  startContents();
  startSearch();
  startConsole();
  startLinks();
}

applyTheme();
if (document.readyState === 'loading') {
  document.addEventListener('DOMContentLoaded', start);
} else {
  start();
}

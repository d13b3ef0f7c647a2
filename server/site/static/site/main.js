// The script of every page.

import {showOwnAddress} from './address.js';
import {startCopying} from './copying.js';
import {startSearch} from './search.js';

showOwnAddress();
startCopying();
startSearch();

// Code with the address at which this server was opened, in place of the one of `make run`.

const WRITTEN = /\b(?:(http|ws):\/\/)?localhost:8080\b/g;

/** Put this page's address into the code and the links of the page, if a server is there. */
export function showOwnAddress() {
  if (!('isServed' in document.documentElement.dataset)) return;
  for (const code of document.querySelectorAll('main code')) {
    const texts = document.createTreeWalker(code, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
      texts.currentNode.data = own(texts.currentNode.data);
    }
  }
  for (const link of document.querySelectorAll('main a[href^="http://localhost:8080"]')) {
    link.setAttribute('href', own(link.getAttribute('href')));
    link.textContent = own(link.textContent);
  }
}

function own(text) {
  return text.replace(WRITTEN, (_, scheme) => {
    if (!scheme) return location.host;
    return scheme === 'ws' ? location.origin.replace(/^http/, 'ws') : location.origin;
  });
}

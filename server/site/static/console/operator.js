// The operator's view: what the server follows, does and lacks.

export class Operator {
  #root;

  /**
   * @param {HTMLElement} root
   * @param {{follow: (symbol: string) => Promise<void>, unfollow: (symbol: string) => Promise<void>}} on
   */
  constructor(root, on) {
    this.#root = root;
    this.on = on;
  }

  /** @param {boolean} isShown */
  show(isShown) {
    this.#root.hidden = !isShown;
  }
}

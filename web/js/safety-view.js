/**
 * The padlock of the call page and the panel behind it: the safety code in words, and what to do with it.
 */

/** @typedef {import('./safety.js').Safety} Safety */
/** @typedef {import('./safety.js').SafetyState} SafetyState */

/** @type {Record<SafetyState, string>} */
const SENTENCES = {
  pending: 'There is no code yet. It comes with the connection, when the other’s program makes one, too.',
  agreed: 'Read it to each other. If both see the same words, nobody sits between you.',
  none: 'There is no code for this call: the two sides could not agree on one. Somebody may sit between you.',
};

const CHANGED = 'The code is a new one, because the connection was made again.';
const GONE = 'The connection was made again. The code from before is good no more.';

/** @param {string} id */
const at = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

export class SafetyView {
  #button = at('safety');
  #panel = at('safety-panel');
  /** The words that were shown last, '' before the first. */
  #before = '';
  /** The state of which the button told the user. @type {SafetyState} */
  #state = 'pending';

  constructor() {
    this.#button.addEventListener('click', () => this.#open(this.#panel.hidden));
    for (const element of [this.#button, this.#panel]) {
      element.addEventListener('keydown', (event) => {
        if (event.key === 'Escape' && !this.#panel.hidden) this.#open(false);
      });
    }
  }

  /** @param {Safety} safety */
  show({ state, words }) {
    const code = words.join(' ');
    const isNew = code !== '' && this.#before !== '' && code !== this.#before;
    if (code) this.#before = code;
    this.#state = state;
    at('safety-words').textContent = code;
    at('safety-words').hidden = code === '';
    at('safety-text').textContent = SENTENCES[state];
    if (isNew) this.#sayChanged(CHANGED);
    else if (state === 'pending' && this.#before) this.#sayChanged(GONE); // who never makes another one must not pass for the one before
    else if (state === 'agreed') this.#sayChanged('');
    this.#button.dataset.state = state;
    this.#label();
  }

  /** Whether there is anybody to have a code with. @param {boolean} isWanted */
  offer(isWanted) {
    this.#button.hidden = !isWanted;
    if (isWanted) return;
    if (!this.#panel.hidden) this.#open(false);
    this.#before = ''; // the next one's code is no change of this one's
    this.#sayChanged('');
  }

  /** @param {boolean} isOpen */
  #open(isOpen) {
    this.#panel.hidden = !isOpen;
    this.#button.setAttribute('aria-expanded', String(isOpen));
    delete this.#button.dataset.changed; // seen
    this.#label();
    if (!isOpen && !this.#button.hidden) this.#button.focus();
  }

  /** @param {string} text '' for no change */
  #sayChanged(text) {
    at('safety-changed').textContent = text;
    if (text && this.#panel.hidden) this.#button.dataset.changed = '';
    else delete this.#button.dataset.changed;
  }

  #label() {
    const news = this.#state === 'agreed' ? 'a new one' : 'none yet';
    const label = this.#state === 'none' ? 'Safety code: none' : 'changed' in this.#button.dataset ? `Safety code: ${news}` : 'Safety code';
    this.#button.setAttribute('aria-label', label);
    this.#button.title = label;
  }
}

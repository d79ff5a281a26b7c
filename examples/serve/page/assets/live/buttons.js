// Start and stop of a publishing point. An event that goes on is stopped only after a question.

import { send } from '../api.js';
import { element, name, replace } from '../dom.js';

const GO_ON = ['starting', 'started', 'stopping'];
let made = 0;

/** The buttons of a point, which stay while its numbers change. */
export class Buttons {
  #title;
  #changed;
  #state = null;
  #start = element('button', { type: 'button', onclick: () => this.#send('start') }, 'Start');
  #stop = element('button', { type: 'button', 'aria-haspopup': 'dialog', onclick: () => this.#ask() }, 'Stop');
  #message = element('span', { class: 'warn', role: 'status' });
  #question;

  /** `changed` is called when the point may have another state; it returns a promise of that being shown. */
  constructor(title, changed) {
    this.#title = title;
    this.#changed = changed;
    this.#start.setAttribute('aria-label', `Start ${title}`);
    this.#stop.setAttribute('aria-label', `Stop ${title}`);
    made += 1;
    const [heading, text] = [`question-${made}`, `question-text-${made}`];
    this.#question = element(
      'dialog', { class: 'question', 'aria-labelledby': heading, 'aria-describedby': text },
      element('h2', { id: heading }, 'Stop ', name(title), '?'),
      element('p', { id: text }, 'The event ends for all players: what was pushed becomes a film. Encoders are refused until you start the point again, and that begins another event.'),
      element('div', { class: 'buttons' },
        element('button', { type: 'button', autofocus: true, onclick: () => this.#question.close() }, 'Let it go on'),
        element('button', { type: 'button', class: 'grave', onclick: () => this.#end() }, 'End the event')),
    );
    this.root = element('div', { class: 'buttons' }, this.#start, this.#stop, this.#message, this.#question);
  }

  show({ state }) {
    this.#state = state;
    const isStopped = ['stopped', 'stopping'].includes(state);
    this.#start.disabled = !isStopped;
    this.#stop.disabled = isStopped;
    if (isStopped && this.#question.open) this.#question.close();
  }

  #ask() {
    if (GO_ON.includes(this.#state)) this.#question.showModal();
    else this.#send('stop');
  }

  #end() {
    this.#question.close();
    this.#send('stop');
  }

  async #send(what) {
    const isHere = this.root.contains(document.activeElement);
    this.#start.disabled = true;
    this.#stop.disabled = true;
    try {
      await send(`live/${what}`, { name: this.#title });
      replace(this.#message);
    } catch (error) {
      replace(this.#message, error.what ?? error.message);
    }
    await this.#changed();
    // The button that was pressed is disabled now.
    const isLost = [document.body, null].includes(document.activeElement) || this.root.contains(document.activeElement);
    if (isHere && isLost) [this.#start, this.#stop].find((button) => !button.disabled)?.focus();
  }
}

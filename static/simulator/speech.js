// The browser's own voice and hearing (Web Speech), where it has them.

/** Reads text aloud. */
export class Voice {
  get available() {
    return "speechSynthesis" in window;
  }

  say(text, language) {
    if (!this.available) return;
    const utterance = new SpeechSynthesisUtterance(text);
    utterance.lang = language;
    speechSynthesis.speak(utterance);
  }

  stop() {
    if (this.available) speechSynthesis.cancel();
  }
}

/** Listens to the microphone and gives each finished sentence to a function. */
export class Ears {
  #recognition = null;
  #language;
  #listening = false;

  constructor(language) {
    this.#language = language;
  }

  get available() {
    return "SpeechRecognition" in window || "webkitSpeechRecognition" in window;
  }

  start(onWords, onSpeaking) {
    const Recognition = window.SpeechRecognition || window.webkitSpeechRecognition;
    this.#listening = true;
    this.#recognition = new Recognition();
    this.#recognition.lang = this.#language;
    this.#recognition.continuous = true;
    this.#recognition.onspeechstart = onSpeaking;
    this.#recognition.onresult = (event) => {
      for (const result of [...event.results].slice(event.resultIndex)) {
        if (result.isFinal) onWords(result[0].transcript);
      }
    };
    this.#recognition.onend = () => this.#listening && this.#recognition.start();
    this.#recognition.start();
  }

  stop() {
    this.#listening = false;
    this.#recognition?.stop();
  }
}

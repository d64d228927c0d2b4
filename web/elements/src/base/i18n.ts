/**
 * Messages and formats of one locale.
 *
 * English texts are their own keys, written where they are used; the French table is the list of
 * them all, so a text without a translation does not compile. `one|other` texts are chosen by the
 * locale's plural rule for the parameter `n`.
 */
import type { fr } from '../locales/fr.js';

export type Message = keyof typeof fr;
export type Catalogue = Partial<Record<Message, string>>;
export type Params = Readonly<Record<string, string | number>>;

const catalogues = new Map<string, Catalogue>();
/** Languages that come as a module of their own, fetched when asked for. */
const shipped: Record<string, () => Promise<Catalogue>> = { fr: () => import('../locales/fr.js').then((module) => module.fr) };
const language = (locale: string): string => locale.slice(0, 2).toLowerCase();

/** Fetches the texts of a locale if they are not here yet; undefined when there is nothing to wait for. */
export function localeLoading(locale: string): Promise<void> | undefined {
  const name = language(locale);
  if (catalogues.has(name) || !shipped[name]) return undefined;
  return shipped[name]().then((texts) => void (catalogues.has(name) || catalogues.set(name, texts)), () => void catalogues.set(name, {}));
}

/** Adds or replaces the texts of a language (`de`); texts left out stay English. */
export function registerLocale(name: string, messages: Catalogue): void {
  catalogues.set(language(name), messages);
}

export class I18n {
  readonly locale: string;
  readonly #catalogue: Catalogue | undefined;
  readonly #plural: Intl.PluralRules;
  readonly #number: Intl.NumberFormat;
  readonly #formats = new Map<string, Intl.DateTimeFormat>();

  constructor(locale: string) {
    this.locale = canonical(locale);
    this.#catalogue = catalogues.get(language(this.locale));
    this.#plural = new Intl.PluralRules(this.locale);
    this.#number = new Intl.NumberFormat(this.locale);
  }

  /** The text in this locale, with `{name}` replaced and numbers formatted. */
  readonly t = (message: Message, params: Params = {}): string => {
    let text: string = this.#catalogue?.[message] ?? message;
    if (text.includes('|') && typeof params['n'] === 'number') {
      const [one = '', other = one] = text.split('|');
      text = this.#plural.select(params['n']) === 'one' ? one : other;
    }
    return text.replace(/\{(\w+)\}/g, (_, name: string) => {
      const value = params[name] ?? '';
      return typeof value === 'number' ? this.number(value) : value;
    });
  };

  /** The text of a key that is only known at run time, if this language has a catalogue with it. */
  text(key: string): string | undefined {
    return this.#catalogue?.[key as Message];
  }

  /** What went wrong, in this language where it has words for the code; the server's are English and say more. */
  problem({ code, detail }: { code: string; detail: string }): string {
    return this.text(`problem.${code}`) ?? detail;
  }

  number(value: number): string {
    return this.#number.format(value);
  }

  /** A cached formatter: making one costs far more than using it. */
  dates(zone: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
    const key = zone + JSON.stringify(options);
    let format = this.#formats.get(key);
    if (!format) {
      format = new Intl.DateTimeFormat(this.locale, { timeZone: zone, hourCycle: 'h23', ...options });
      this.#formats.set(key, format);
    }
    return format;
  }
}

function canonical(locale: string): string {
  try {
    return Intl.getCanonicalLocales(locale)[0] ?? 'en';
  } catch {
    return 'en';
  }
}

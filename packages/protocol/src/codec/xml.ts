import { SaxesParser, type SaxesTagNS } from 'saxes';
import { fail } from '../errors.ts';

/** One attribute, its namespace resolved; "" is no namespace. Declarations (`xmlns`) are not listed. */
export interface XmlAttribute {
  readonly uri: string;
  readonly local: string;
  readonly value: string;
}

/** One element, its namespace resolved. `text` is the character data directly inside it, joined. */
export interface XmlElement {
  readonly uri: string;
  readonly local: string;
  readonly attributes: readonly XmlAttribute[];
  readonly children: readonly XmlElement[];
  readonly text: string;
}

/** What a document may measure at most. */
export interface XmlLimits {
  readonly maxChars: number;
  readonly maxDepth: number;
  readonly maxElements: number;
  readonly maxAttributes: number;
}

/** Bounds for any document a peer sends; each far above what WS-Management needs. */
export const DEFAULT_XML_LIMITS: XmlLimits = {
  maxChars: 4 * 1024 * 1024, // eight times the largest envelope a default server sends (500 KiB)
  maxDepth: 64, // a fault nested in provider faults is about a dozen deep
  maxElements: 100_000, // a Receive reply holds one element per chunk of output
  maxAttributes: 64, // per element; namespace declarations included
};

/**
 * Parses a whole document into a tree: well-formed XML 1.0 with namespaces, no document type, no processing
 * instructions. SOAP Version 1.2 Part 1, section 5, forbids both.
 *
 * @param onProblem turns a description into the caller's own error; it must throw
 */
export function parseXml(
  text: string,
  onProblem: (problem: string) => never,
  limits: XmlLimits = DEFAULT_XML_LIMITS,
): XmlElement {
  if (text.length > limits.maxChars) onProblem(`longer than ${limits.maxChars} characters`);
  const builder = new TreeBuilder(limits);
  try {
    return builder.build(text);
  } catch (error) {
    return onProblem(error instanceof Error ? error.message : 'not XML');
  }
}

interface OpenElement {
  readonly uri: string;
  readonly local: string;
  readonly attributes: XmlAttribute[];
  readonly children: OpenElement[];
  text: string;
}

class TreeBuilder {
  readonly #limits: XmlLimits;
  readonly #open: OpenElement[] = [];
  #runs: (string | null)[] = [];
  #textChars = 0;
  #root: OpenElement | null = null;
  #elementCount = 0;
  #attributeCount = 0;

  constructor(limits: XmlLimits) {
    this.#limits = limits;
  }

  build(text: string): XmlElement {
    const parser = new SaxesParser({ xmlns: true, position: false, forceXMLVersion: true, defaultXMLVersion: '1.0' });
    parser.on('error', (error) => {
      throw new XmlProblem(error.message);
    });
    parser.on('doctype', () => refuse('a document type declaration'));
    parser.on('processinginstruction', () => refuse('a processing instruction'));
    parser.on('opentagstart', () => this.#begin());
    parser.on('attribute', () => this.#countAttribute());
    parser.on('opentag', (tag) => this.#push(tag));
    parser.on('closetag', () => this.#open.pop());
    parser.on('text', (characters) => this.#append(characters));
    parser.on('cdata', (characters) => this.#append(characters));
    const { shortened, runs } = withoutLongRuns(text);
    this.#runs = runs;
    parser.write(shortened).close();
    return this.#root ?? refuse('no root element');
  }

  /** Runs before the attributes are read, so that depth and count are bounded before anything is stored. */
  #begin(): void {
    this.#attributeCount = 0;
    this.#elementCount += 1;
    if (this.#elementCount > this.#limits.maxElements) refuse(`more than ${this.#limits.maxElements} elements`);
    if (this.#open.length >= this.#limits.maxDepth) refuse(`nested deeper than ${this.#limits.maxDepth}`);
  }

  #countAttribute(): void {
    this.#attributeCount += 1;
    if (this.#attributeCount > this.#limits.maxAttributes) refuse(`more than ${this.#limits.maxAttributes} attributes`);
  }

  #push(tag: SaxesTagNS): void {
    const attributes: XmlAttribute[] = [];
    for (const { uri, local, value } of Object.values(tag.attributes)) {
      if (uri !== XMLNS_URI) attributes.push({ uri, local, value });
    }
    const element: OpenElement = { uri: tag.uri, local: tag.local, attributes, children: [], text: '' };
    const parent = this.#open.at(-1);
    if (parent === undefined) this.#root = element;
    else parent.children.push(element);
    this.#open.push(element);
  }

  #append(characters: string): void {
    const element = this.#open.at(-1);
    if (element === undefined) return;
    const text = this.#runs.length === 0 ? characters : this.#restored(characters);
    this.#textChars += text.length;
    if (this.#textChars > this.#limits.maxChars) refuse(`text of more than ${this.#limits.maxChars} characters`);
    element.text += text;
  }

  /** Each run comes back once, so that no document can grow. */
  #restored(characters: string): string {
    return characters.replace(RUN_MARK, (_, index: string) => {
      const run = this.#runs[Number(index)] ?? refuse('a run of text that stands twice');
      this.#runs[Number(index)] = null;
      return run;
    });
  }
}

/**
 * Takes long runs of base64 out of a document and leaves a mark in the place of each. A parser looks at every character;
 * these need no look, and command output consists of them. A run stands between ">" and "<" and has no character that
 * means anything in XML, so wherever a mark is read as text the run would have been, and nowhere else. A document that
 * holds a mark already, or a reference that could become one, is read as it is.
 */
function withoutLongRuns(text: string): { shortened: string; runs: (string | null)[] } {
  const runs: string[] = [];
  const mayHoldMarks = text.includes(MARK_START) || text.includes('&#');
  if (text.length < LONG_RUN_CHARS || mayHoldMarks) return { shortened: text, runs };
  const shortened = text.replace(LONG_RUN, (run) => `${MARK_START}${runs.push(run) - 1}${MARK_END}`);
  return { shortened, runs };
}

/** Thrown by the builder only and caught by parseXml, which hands its message to the caller's error. */
class XmlProblem extends Error {}

function refuse(what: string): never {
  throw new XmlProblem(what);
}

/** The first child of that name, or null. */
export function childOf(element: XmlElement, uri: string, local: string): XmlElement | null {
  return element.children.find((child) => child.local === local && child.uri === uri) ?? null;
}

/** Every child of that name, in order. */
export function childrenOf(element: XmlElement, uri: string, local: string): readonly XmlElement[] {
  return element.children.filter((child) => child.local === local && child.uri === uri);
}

/** The value of an attribute without a namespace (or in `uri`), or null. */
export function attributeOf(element: XmlElement, local: string, uri = ''): string | null {
  return element.attributes.find((attribute) => attribute.local === local && attribute.uri === uri)?.value ?? null;
}

/** The text of an element and all below it, in document order of elements: a reader's fallback for odd nesting. */
export function textWithin(element: XmlElement): string {
  return element.text + element.children.map(textWithin).join('');
}

/** Finished markup. Only `element` makes it, so a plain string can never slip in unescaped. */
export class XmlMarkup {
  readonly xml: string;

  /** @param xml well-formed markup; for this file's own use */
  constructor(xml: string) {
    this.xml = xml;
  }
}

/**
 * Writes one element. Strings among the content are escaped; markup goes in as it is.
 *
 * @param name a qualified name, with the prefix the document declares
 * @throws misuse.bad-argument (bad-xml) for a name that is none, or text XML 1.0 cannot carry
 */
export function element(
  name: string,
  attributes: Readonly<Record<string, string>>,
  ...content: readonly (XmlMarkup | string)[]
): XmlMarkup {
  const head = [qualifiedName(name)];
  for (const [key, value] of Object.entries(attributes)) head.push(` ${qualifiedName(key)}="${escapeXml(value)}"`);
  const inside = content.map((part) => (part instanceof XmlMarkup ? part.xml : escapeXml(part))).join('');
  return new XmlMarkup(inside === '' ? `<${head.join('')}/>` : `<${head.join('')}>${inside}</${name}>`);
}

/**
 * Escapes text for content and double-quoted attributes. CR, LF and TAB become references, because a reader
 * normalises them otherwise: Extensible Markup Language 1.0, sections 2.11 and 3.3.3.
 *
 * @throws misuse.bad-argument (bad-xml) for what the Char production of section 2.2 leaves out
 */
export function escapeXml(text: string): string {
  if (!isXmlText(text)) fail('misuse.bad-argument', { argument: 'text', reason: 'bad-xml' });
  return text.replace(/[&<>"\t\n\r]/g, (character) => ESCAPES[character] ?? character);
}

/** Whether XML 1.0 can carry the text at all: no lone surrogate, no control character but TAB, LF and CR. */
export function isXmlText(text: string): boolean {
  return !NOT_XML.test(text);
}

function qualifiedName(name: string): string {
  if (!QUALIFIED_NAME.test(name)) fail('misuse.bad-argument', { argument: 'name', reason: 'bad-xml' });
  return name;
}

/** Characters of the private use area: XML can carry them, and a document that does takes the slower way. */
const MARK_START = '\ue000';
const MARK_END = '\ue001';
const RUN_MARK = /\ue000(\d+)\ue001/g;
const LONG_RUN_CHARS = 256;
const LONG_RUN = /(?<=>)[A-Za-z0-9+/=]{256,}(?=<)/g;

const XMLNS_URI = 'http://www.w3.org/2000/xmlns/';
const QUALIFIED_NAME = /^(?:[A-Za-z_][\w.-]*:)?[A-Za-z_][\w.-]*$/;
const NOT_XML = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff\p{Surrogate}]/u;
const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\t': '&#9;',
  '\n': '&#10;',
  '\r': '&#13;',
};

/** What a person does at the product, in the words of a person. */
import { Buffer } from 'node:buffer';
import { expect, type Locator, type Page } from 'playwright/test';
import { words } from './words.ts';

/** A proxy as it is saved in the connect dialog. */
export interface ProxyChoice {
  readonly port: number;
  readonly kind: 'http-connect' | 'http-forward';
}

/** What is filled into the connect dialog. */
export interface Destination {
  readonly server: string;
  readonly user: string;
  readonly password: string;
  readonly proxy?: ProxyChoice;
  /** One command instead of an interactive shell. */
  readonly command?: string;
  readonly name?: string;
  /** What to answer at first contact, for an https server that nothing vouches for. */
  readonly trust?: 'pin' | 'once';
}

/** One page and the hands on it. */
export class Person {
  readonly page: Page;
  /** The terminal's rows that are on the page. */
  readonly rows: Locator;
  readonly input: Locator;
  readonly programInput: Locator;
  readonly status: Locator;
  readonly dialog: Locator;
  /** The code of an error that is shown stands in its block. */
  readonly failure: Locator;

  constructor(page: Page) {
    this.page = page;
    this.rows = page.locator('.xterm-rows > div');
    this.input = page.getByRole('textbox', { name: words('session.input.label'), exact: true });
    this.programInput = page.getByRole('textbox', { name: words('session.input.programLabel'), exact: true });
    this.status = page.getByRole('button', { name: new RegExp(`^${words('session.status.open').replace(/:$/, '')}`) });
    this.dialog = page.getByRole('dialog');
    this.failure = page.getByRole('alert').filter({ has: page.locator('code') });
  }

  button(key: string, values: Readonly<Record<string, string | number>> = {}): Locator {
    return this.page.getByRole('button', { name: named(key, values) });
  }

  /** A text field of the dialog that is open. */
  field(key: string): Locator {
    return this.dialog.getByRole('textbox', { name: words(key), exact: true });
  }

  async signIn(code: string): Promise<void> {
    await this.page.goto('/');
    await this.page.getByLabel(words('signIn.code')).fill(code);
    await this.button('signIn.action').click();
    await expect(this.page.getByRole('heading', { name: words('home.title') })).toBeVisible();
  }

  /** From home, where somebody is signed in. */
  async openDialog(): Promise<void> {
    await this.page
      .getByRole('region', { name: words('home.begin') })
      .getByRole('button', { name: words('home.connect.action'), exact: true })
      .click();
    await expect(this.dialog).toBeVisible();
  }

  /** Fills the connect dialog, which is open, and presses its button. */
  async fillAndConnect(to: Destination): Promise<void> {
    const { dialog } = this;
    await this.field('connect.server').fill(to.server);
    if (to.command !== undefined) {
      await dialog.getByText(words('connect.command'), { exact: true }).click();
      await this.field('connect.commandLine').fill(to.command);
    }
    await this.field('connect.user').fill(to.user);
    await dialog.getByLabel(words('connect.password'), { exact: true }).fill(to.password);
    if (to.proxy !== undefined) await this.addProxy(to.proxy);
    if (to.name !== undefined) {
      await dialog.getByText(words('connect.more')).click();
      await this.field('connect.name').fill(to.name);
    }
    await dialog.getByRole('button', { name: words('connect.action'), exact: true }).click();
  }

  async addProxy(proxy: ProxyChoice): Promise<void> {
    const { dialog } = this;
    await dialog
      .getByRole('combobox', { name: words('connect.route'), exact: true })
      .selectOption({ label: words('connect.newRoute') });
    await this.field('routes.address').fill(`127.0.0.1:${proxy.port}`);
    await dialog.getByRole('combobox', { name: words('routes.kind'), exact: true }).selectOption(proxy.kind);
    await dialog.getByRole('button', { name: words('routes.save'), exact: true }).click();
    await expect(dialog.getByRole('combobox', { name: words('connect.route'), exact: true })).toContainText(
      `127.0.0.1:${proxy.port}`,
    );
  }

  /** From home to a prompt, or to the first output of a command. */
  async connect(to: Destination): Promise<void> {
    await this.openDialog();
    await this.fillAndConnect(to);
    if (to.trust !== undefined) await this.button(`trust.first.${to.trust}`).click();
    if (to.command === undefined) await this.seesPrompt();
  }

  async seesPrompt(): Promise<void> {
    await expect(this.input).toBeVisible();
    await expect(this.input).toBeFocused();
  }

  /** Types a line at the prompt and waits until the command has ended. */
  async run(line: string): Promise<void> {
    await this.begin(line);
    await this.ends(line);
  }

  /** Types a line at the prompt and sends it. */
  async begin(line: string): Promise<void> {
    await expect(this.input).toBeVisible();
    await this.input.fill(line);
    await this.input.press('Enter');
  }

  /** The page says for those who do not see it that a command is over. */
  async ends(line: string): Promise<void> {
    await expect(this.announcement).toContainText(line.slice(0, 60));
    await expect(this.input).toBeVisible();
  }

  get announcement(): Locator {
    return this.page.locator('p[role=status] > span');
  }

  /** A row of the terminal says exactly this. */
  async seesRow(text: string | RegExp): Promise<void> {
    const exact = typeof text === 'string' ? new RegExp(`^${escapeRegex(text)}\\s*$`) : text;
    await expect(this.rows.filter({ hasText: exact }).first()).toBeVisible();
  }

  /** The same session as a document, one article for each command. */
  async commandView(): Promise<Locator> {
    const view = this.page.getByRole('region', { name: words('session.commands.label') });
    if (!(await view.isVisible())) await this.page.keyboard.press('Control+Shift+O');
    await expect(view).toBeVisible();
    return view;
  }

  async terminalView(): Promise<void> {
    const view = this.page.getByRole('region', { name: words('session.commands.label') });
    if (await view.isVisible()) await this.page.keyboard.press('Control+Shift+O');
    await expect(view).toBeHidden();
  }

  async fails(code: string): Promise<void> {
    await expect(this.failure.locator('code')).toHaveText(code);
  }

  /** Saves what the last command wrote, as a person would, and reads the file. */
  async savedOutput(): Promise<string> {
    await this.button('session.tools.menu').click();
    const [download] = await Promise.all([
      this.page.waitForEvent('download'),
      this.page.getByRole('menuitem', { name: named('session.tools.saveLast') }).click(),
    ]);
    const parts: Buffer[] = [];
    for await (const part of await download.createReadStream()) parts.push(part as Buffer);
    return Buffer.concat(parts).toString('utf8');
  }
}

/** The name of a control by its key; the shortcut that may stand beside it is no part of it. */
export function named(key: string, values: Readonly<Record<string, string | number>> = {}): RegExp {
  const name = words(key, values).replace(/ \((?:Ctrl|Alt|Shift|F\d)[^)]*\)$/, '');
  return new RegExp(`^${escapeRegex(name)}(?:\\s*\\(?(?:Ctrl|Alt|Shift|F\\d).*)?$`);
}

/** Whatever a text says, as a regular expression. */
export function escapeRegex(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

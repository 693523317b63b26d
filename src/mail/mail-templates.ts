import type { TemplateDelegate } from 'handlebars'

/** The two parts of a mail, compiled when the first is set: from then on only data goes in. */
export type MailTemplates = {
  readonly html: TemplateDelegate
  readonly text: TemplateDelegate
  /** Compiles them now. Throws with what is wrong in them. */
  prepare(): void
}

/** Both parts of a mail, each compiled at most once, when it is first set or when `prepare` is called. */
export function compiledWhenUsed(compile: {
  html(): TemplateDelegate
  text(): TemplateDelegate
}): MailTemplates {
  const [html, text] = [once(compile.html), once(compile.text)]
  return {
    html: (view, options) => html()(view, options),
    text: (view, options) => text()(view, options),
    prepare: () => void [html(), text()],
  }
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined
  return () => {
    made ??= { value: make() }
    return made.value
  }
}

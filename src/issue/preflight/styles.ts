/** A rule of a mail's stylesheet, with the weight of its selector. */
export type StyleRule = {
  readonly selector: string
  readonly specificity: number
  readonly declarations: readonly Declaration[]
}

export type Declaration = { readonly name: string; readonly value: string; readonly isImportant: boolean }

/** The rules that hold on a wide screen in light or in dark, in their order; those of other media are left out. */
export function rulesOf(css: string, scheme: 'light' | 'dark'): readonly StyleRule[] {
  return blocksOf(css.replace(/\/\*[\s\S]*?\*\//g, '')).flatMap(({ head, body }) => {
    if (!head.startsWith('@')) return toRules(head, body)
    const isDark = /^@media[^{]*prefers-color-scheme:\s*dark/i.test(head)
    return isDark && scheme === 'dark' ? rulesOf(body, scheme) : []
  })
}

/** What stands between two braces, by what stands before them. */
function blocksOf(css: string): readonly { head: string; body: string }[] {
  const blocks: { head: string; body: string }[] = []
  let [depth, from, head] = [0, 0, '']
  for (let at = 0; at < css.length; at += 1) {
    if (css[at] === '{') {
      if (depth === 0) {
        head = css.slice(from, at).trim()
        from = at + 1
      }
      depth += 1
    } else if (css[at] === '}') {
      depth -= 1
      if (depth === 0) {
        blocks.push({ head, body: css.slice(from, at) })
        from = at + 1
      }
    }
  }
  return blocks
}

function toRules(head: string, body: string): readonly StyleRule[] {
  const declarations = declarationsOf(body)
  return head.split(',').map((part) => {
    const selector = part.trim()
    return { selector, specificity: specificityOf(selector), declarations }
  })
}

/** `color: #1C1B19 !important; …`, as in a rule or in a style attribute. */
export function declarationsOf(body: string): readonly Declaration[] {
  return body.split(';').flatMap((pair) => {
    const [, name, value] = /^\s*([\w-]+)\s*:\s*([\s\S]+?)\s*$/.exec(pair) ?? []
    if (!name || !value) return []
    const isImportant = /!\s*important$/i.test(value)
    return [{ name: name.toLowerCase(), value: value.replace(/\s*!\s*important$/i, ''), isImportant }]
  })
}

/** Selectors Level 4, section 17, without `:is` and its like, which no mail has. */
function specificityOf(selector: string): number {
  const count = (pattern: RegExp) => selector.match(pattern)?.length ?? 0
  return (
    count(/#[\w-]+/g) * 100 + count(/\.[\w-]+|\[[^\]]*\]|:[\w-]+/g) * 10 + count(/(?:^|[\s>+~])[a-z][\w-]*/gi)
  )
}

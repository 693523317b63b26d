import { parseHTML } from 'linkedom'

/** What a browser would send of a page's only form for a comparison (or the form of an action), with what is in its fields. */
export function formOn(page: string, action?: string): Record<string, string> {
  const { document } = parseHTML(page)
  const form = document.querySelector(action ? `form[action="${action}"]` : 'form.versus-form')
  if (!form) throw new Error(`There is no form ${action ?? 'for a comparison'} on the page`)
  const fields: Record<string, string> = {}
  for (const field of form.querySelectorAll('input[name], textarea[name], select[name]')) {
    const name = field.getAttribute('name') ?? ''
    if (field.localName === 'select')
      fields[name] = field.querySelector('option[selected]')?.getAttribute('value') ?? ''
    else if (field.localName === 'textarea')
      fields[name] = decoded(field.textContent ?? '').replace(/^\n/, '')
    else fields[name] = field.getAttribute('value') ?? ''
  }
  return fields
}

/** linkedom leaves a textarea's text as the source has it. */
function decoded(source: string): string {
  return parseHTML(`<!doctype html><body><p>${source}</p>`).document.querySelector('p')?.textContent ?? ''
}

/** The visible words of a page, on one line. */
export function wordsOf(page: string): string {
  const { document } = parseHTML(page)
  return (document.querySelector('main')?.textContent ?? '').replace(/\s+/g, ' ').trim()
}

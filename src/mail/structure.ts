/**
 * MJML as HTML, its mustaches untouched. Includes stay off, whatever a template says: nothing can read a file. So do
 * MJML's fonts: it would fetch Roboto from Google for every reader.
 */
export async function structureOf(template: string): Promise<string> {
  // Imported here, because it takes longer to load than all the rest: what sets no mail begins at once.
  const { default: mjml2html } = await import('mjml')
  const { html, errors } = await mjml2html(template, {
    ignoreIncludes: true,
    fonts: {},
    validationLevel: 'strict',
  })
  if (errors.length > 0) throw new Error(errors.map((error) => error.formattedMessage).join('\n'))
  return lean(html)
}

/** Without indentation: between two tags a line break is white space enough. Runs before any data is there. */
export function lean(template: string): string {
  return template.replace(/\s*\n\s*/g, '\n')
}

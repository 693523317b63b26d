import { text } from 'node:stream/consumers'
import mjml2html from 'mjml'

/*
 * MJML on stdin, HTML on stdout; what is wrong with it on stderr, and then it fails. Includes stay off, whatever a template
 * says: nothing can read a file. So do MJML's fonts: it would fetch Roboto from Google for every reader.
 */
try {
  const { html, errors } = await mjml2html(await text(process.stdin), {
    ignoreIncludes: true,
    fonts: {},
    validationLevel: 'strict',
  })
  if (errors.length > 0) throw new Error(errors.map((error) => error.formattedMessage).join('\n'))
  process.stdout.write(html)
} catch (error) {
  process.stderr.write(error instanceof Error ? error.message : String(error))
  process.exitCode = 1
}

/** The edition without what the archive puts around it. */
export function withoutFrame(html: string): string {
  return html
    .replace(/<meta name="description"[\s\S]*?<\/style>\n(?=<\/head>)/, '')
    .replace(/<header class="wv-bar">[\s\S]*?<\/header>\n<main[^>]*>/, '')
    .replace(/<\/main><footer class="wv-bar">[\s\S]*?<\/footer>\n/, '')
}

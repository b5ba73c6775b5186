/**
 * express.static with the page: `node express_page.mjs FOLDER PORT HEADERS`, where HEADERS is a JSON object. The file is compressed already: that is the
 * least work that Express can be given.
 */
import express from 'express';

const [folder, port, headers] = process.argv.slice(2);
const app = express();
app.disable('x-powered-by');
app.use('/r/:room', express.static(folder, {
  index: 'page.html.gz',
  cacheControl: false,
  setHeaders: (response) => response.set(JSON.parse(headers)),
}));
app.listen(Number(port), '127.0.0.1', () => console.log('ready'));

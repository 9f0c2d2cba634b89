import { connect } from '@switchboard/client';

interface Order {
  readonly orderId: string;
  readonly sku: string;
  readonly quantity: number;
}

const { url = '', token = '' } = Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
const client = connect<
  { 'order-created': Order },
  { 'order-create': { content: Omit<Order, 'orderId'>; answer: Order } }
>({
  url,
  token,
});

const show = (id: string, text: string): void => {
  document.querySelector(`#${id}`)?.replaceChildren(text);
};
client.on('status', ({ state }) => show('status', state));

client.subscribe('orders', (content) => {
  const { sku, quantity, orderId } = content as Order;
  const item = document.createElement('li');
  item.textContent = `${quantity} × ${sku} (${orderId.slice(0, 8)})`;
  document.querySelector('#orders')?.prepend(item);
});

document.querySelector('form')?.addEventListener('submit', (event) => {
  event.preventDefault();
  const fields = new FormData(event.currentTarget as HTMLFormElement);
  const order = { sku: String(fields.get('sku')), quantity: Number(fields.get('quantity')) };
  client.send('order-create', order).then(
    ({ orderId }) => show('outcome', `Ordered: ${orderId}`),
    (error: unknown) => show('outcome', String(error)),
  );
});

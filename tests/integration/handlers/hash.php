<?php
// FastCGI: says what it received.
// SPDX-License-Identifier: Apache-2.0
$context = hash_init('sha256');
$length = 0;
$input = fopen('php://input', 'rb');
while (($data = fread($input, 65536)) !== false && $data !== '') {
    hash_update($context, $data);
    $length += strlen($data);
}
header('Content-Type: application/json');
echo json_encode(['sha256' => hash_final($context), 'length' => $length, 'environment' => $_SERVER]);
